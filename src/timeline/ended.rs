//! How a request ended: facts, as seen. Whether that is a success depends on the plan and is judged when the record is read.

use serde::{Deserialize, Serialize};

/// How the exchange ended on the level of the connection and of our own limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Ended {
    /// The response came to its proper HTTP end (which says nothing of the reply in it).
    Complete,
    /// The connection was closed or reset before the response ended.
    ClosedEarly {
        /// The system's words.
        message: String,
    },
    /// One of our limits ran out.
    TimedOut {
        /// Which.
        limit: Limit,
    },
    /// HTTP or TLS that could not be read.
    Unreadable {
        /// What was wrong.
        message: String,
    },
    /// A line or the body grew over its limit.
    TooLarge {
        /// What was too large.
        message: String,
    },
    /// No connection came about.
    ConnectFailed {
        /// In which step.
        stage: Stage,
        /// The system's words.
        message: String,
        /// The fault lies in our own machine or line (no route, network down, no descriptors), not at the provider.
        local: bool,
    },
    /// The request could not be written.
    SendFailed {
        /// The system's words.
        message: String,
    },
    /// We stopped it: Ctrl-C, or the run came to its end.
    Cancelled,
}

/// A limit of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// DNS, TCP and TLS together.
    Connect,
    /// From the first write to the first text.
    FirstToken,
    /// Between two texts (keep-alives do not count).
    Idle,
    /// From the first write to the end.
    Total,
}

/// A step of connecting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Name resolution.
    Dns,
    /// TCP.
    Tcp,
    /// HTTP CONNECT through a proxy.
    Proxy,
    /// TLS.
    Tls,
}

/// A finish reason, normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model came to its end.
    Stop,
    /// The length limit cut it.
    Length,
    /// It wants to call a tool.
    ToolCalls,
    /// A filter stopped it.
    ContentFilter,
    /// The server gave up; the accompanying [`ProviderError`] says why.
    Error,
    /// A word that this version does not know.
    Unknown,
}

/// A finish reason as sent, beside its normal form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishSeen {
    /// As sent.
    pub raw: String,
    /// As understood.
    pub normal: Finish,
}

/// What kind of error a provider reported (dialects: error taxonomy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The key was refused.
    Auth,
    /// No balance, or an overdue account.
    Billing,
    /// No such model, endpoint or path.
    NotFound,
    /// The request was refused as malformed.
    BadRequest,
    /// The prompt is too long for the model.
    ContextLength,
    /// A content filter refused.
    ContentFilter,
    /// Our quota: too many requests or tokens.
    RateLimit,
    /// Their capacity: the server sheds load.
    Overloaded,
    /// The server failed.
    Server,
    /// The reply was no dialect that we know.
    Protocol,
}

/// A provider's error code, which some send as a number and some as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ErrorCode {
    /// A number.
    Number(i64),
    /// A word, or a number in quotes.
    Text(String),
}

/// An error as a provider reported it, in the HTTP body or within the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderError {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// The provider's code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<ErrorCode>,
    /// The provider's `type`, where it sent one.
    #[serde(skip_serializing_if = "Option::is_none", default, rename = "type")]
    pub kind_raw: Option<String>,
    /// The provider's words (secrets are masked before they are stored).
    pub message: String,
    /// The HTTP status, or the one named inside the event.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http_status: Option<u16>,
    /// When to come back, in seconds, from the header or the words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_s: Option<f64>,
    /// The error came inside a response of status 2xx.
    #[serde(default)]
    pub in_stream: bool,
}
