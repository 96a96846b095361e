//! Answers that are no stream: what each provider says when it refuses.

use super::Wording;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No key, or a wrong one.
    Unauthorized,
    /// No money.
    Billing,
    /// Not allowed.
    Forbidden,
    /// No such model.
    NotFound,
    /// The request is malformed.
    BadRequest,
    /// The prompt is too long.
    ContextLength,
    /// Too many requests.
    RateLimited,
    /// The quota is used up.
    QuotaExceeded,
    /// Their overload, told by 429 or 503.
    Overloaded,
    /// Capacity of a cheaper tier used up (498).
    Capacity,
    /// Their fault.
    ServerError,
    /// Not now.
    Unavailable,
    /// Overload told by 529.
    Overloaded529,
}

/// A refusal in one provider's words; the body still holds `$names`.
#[derive(Debug, Clone)]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// The body's template.
    pub body: String,
}

/// What most say: status, message, type, code, SiliconFlow's number, iFlytek's code.
fn usual(refusal: Refusal) -> (u16, &'static str, &'static str, &'static str, &'static str, &'static str) {
    match refusal {
        Refusal::Unauthorized => (401, "Invalid API key provided.", "authentication_error", "invalid_api_key", "30014", "11200"),
        Refusal::Billing => (402, "Insufficient balance.", "insufficient_balance", "insufficient_balance", "30001", "11201"),
        Refusal::Forbidden => (403, "You do not have access to this model.", "permission_error", "access_denied", "30003", "11200"),
        Refusal::NotFound => (404, "The model `$model` does not exist.", "not_found_error", "model_not_found", "20012", "10005"),
        Refusal::BadRequest => (400, "Invalid value for `temperature`.", "invalid_request_error", "invalid_parameter", "20015", "10005"),
        Refusal::ContextLength => (
            400,
            "This model's maximum context length is 4096 tokens. Please reduce the length of the messages.",
            "invalid_request_error",
            "context_length_exceeded",
            "20015",
            "10907",
        ),
        Refusal::RateLimited => {
            (429, "Rate limit reached, please try again later.", "rate_limit_error", "rate_limit_exceeded", "50603", "11202")
        }
        Refusal::QuotaExceeded => (429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota", "50603", "11201"),
        Refusal::Overloaded => {
            (503, "The service is overloaded, please try again later.", "overloaded_error", "overloaded", "50505", "10007")
        }
        Refusal::Capacity => (498, "Capacity exceeded.", "capacity_exceeded", "capacity_exceeded", "50505", "11203"),
        Refusal::ServerError => (500, "Internal server error.", "server_error", "internal_error", "50500", "10012"),
        Refusal::Unavailable => (503, "Service unavailable.", "service_unavailable", "service_unavailable", "50503", "10010"),
        Refusal::Overloaded529 => (529, "Overloaded", "overloaded_error", "overloaded", "50505", "10007"),
    }
}

impl Wording {
    /// Refuses in this provider's words; `message` replaces the usual one.
    pub fn refuse(&self, refusal: Refusal, message: Option<&str>) -> Refused {
        let known = self.refusals.iter().find(|(of, ..)| *of == refusal);
        let (status, usual_message, kind, code, number, iflytek) = usual(refusal);
        match (known, message) {
            (Some((_, status, body)), None) => Refused { status: *status, body: (*body).to_owned() },
            (known, message) => {
                let status = known.map_or(status, |(_, status, _)| *status);
                let message = message.map_or_else(|| usual_message.to_owned(), super::super::template::escaped);
                let body = self
                    .refusal
                    .replace("$type", kind)
                    .replace("$code", code)
                    .replace("$number", number)
                    .replace("$iflytek", iflytek)
                    .replace("$status", &status.to_string())
                    .replace("$message", &message);
                Refused { status, body }
            }
        }
    }
}
