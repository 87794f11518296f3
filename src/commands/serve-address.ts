export const defaultPort = 5263;
export const defaultHost = "127.0.0.1";
