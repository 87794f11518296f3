// Every expected failure, once. Codes never change meaning: scripts, clients and audit trails rely on them.

export type FailureCode =
  // what a person typed
  | "usage"
  | "config_invalid"
  | "config_invalid_rule"
  | "config_missing"
  | "person_required"
  | "not_found"
  | "ambiguous_id"
  | "address_in_use"
  // the vault
  | "bad_permissions"
  | "store_refused"
  | "origin_mismatch"
  | "key_missing"
  | "key_wrong"
  | "passphrase_wrong"
  | "reference_failed"
  | "credential_failed"
  | "login_required"
  // the request itself
  | "bad_request"
  | "bad_arguments"
  | "bad_header_name"
  | "bad_header_value"
  | "headers_too_large"
  | "body_too_large"
  | "method_override"
  | "method_override_denied"
  | "path_override"
  | "method_forbidden"
  | "upgrade_forbidden"
  | "path_control"
  | "path_not_origin_form"
  | "path_fragment"
  | "path_ambiguous"
  | "path_bad_escape"
  | "path_bad_character"
  | "path_overencoded"
  | "path_bad_utf8"
  | "path_too_long"
  | "query_ambiguous"
  | "presign_forbidden"
  | "placeholder_unknown"
  | "placeholder_misplaced"
  | "token_endpoint_forbidden"
  | "target_absolute_form"
  | "target_authority_form"
  | "target_asterisk"
  | "target_non_ascii"
  // who asks
  | "foreign_host"
  | "foreign_origin"
  | "no_session"
  | "session_ambiguous"
  | "session_unknown"
  | "session_expired"
  | "session_revoked"
  | "session_ended"
  | "session_wrong_capability"
  | "too_many_sessions"
  | "unknown_capability"
  | "not_a_request_capability"
  | "agent_not_allowed"
  | "reason_required"
  // a proxy to the world
  | "proxy_token_needed"
  | "host_not_allowed"
  | "cleartext_forbidden"
  | "capability_ambiguous"
  | "misdirected"
  // commands
  | "not_an_exec_capability"
  | "command_denied"
  | "bad_argv"
  | "argv_denied"
  | "binary_untrusted"
  | "cwd_denied"
  | "spawn_failed"
  // what the policy says
  | "rule_denied"
  | "approval_pending"
  | "approval_declined"
  | "approval_expired"
  | "limit_reached"
  // beyond janee
  | "audit_unavailable"
  | "audit_broken"
  | "too_busy"
  | "upstream_unreachable"
  | "upstream_tls"
  | "upstream_forbidden_address"
  | "upstream_timeout"
  | "upstream_nonsense"
  | "upstream_closed"
  | "response_unscannable"
  | "response_too_large"
  | "client_closed"
  | "internal";

/** A place in a file that a person can go to; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface FailureDetails {
  /** The rule that made the decision, as it is written in the config. */
  readonly rule?: string;
  /** What the one who asked can do next. */
  readonly next?: string;
  readonly at?: Position;
  /** Seconds until a retry can succeed (RFC 9110 section 10.2.3). */
  readonly retryAfter?: number;
  /** The id of the question that waits for a person. */
  readonly approval?: string;
}

/** An expected failure is a value that is returned; `throw` is for bugs. It never holds a secret. */
export class Failure {
  readonly code: FailureCode;
  readonly message: string;
  readonly rule?: string;
  readonly next?: string;
  readonly at?: Position;
  readonly retryAfter?: number;
  readonly approval?: string;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    this.code = code;
    this.message = message;
    if (details.rule !== undefined) this.rule = details.rule;
    if (details.next !== undefined) this.next = details.next;
    if (details.at !== undefined) this.at = details.at;
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter;
    if (details.approval !== undefined) this.approval = details.approval;
  }
}

/** Carries a Failure through code that can only throw, such as a callback of a library. */
export class FailureError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}
