//! What a request is answered with: silence, a whole body, or a stream.

use super::behaviour::{Behaviour, System};
use super::dist::Source;
use super::distort::{self, Carriage};
use super::fault::{self, Fault, Rule};
use super::reply::{Call, Reply};
use super::request::{Ask, Request};
use super::script::{self, Lists};
use super::template::{Counts, Template, escaped};
use super::wording::Refusal;

/// An answer.
#[derive(Debug)]
pub enum Answer {
    /// No byte.
    Silence(Silence),
    /// A whole body.
    Whole(Whole),
    /// A stream.
    Stream(Box<Stream>),
}

/// No byte, and then what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// The connection stays.
    Hang,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
}

/// A whole body.
#[derive(Debug, Clone)]
pub struct Whole {
    /// HTTP status.
    pub status: u16,
    /// `content-type`.
    pub content_type: &'static str,
    /// Other headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// A stream.
#[derive(Debug)]
pub struct Stream {
    /// What is written when.
    pub reply: Reply,
    /// How.
    pub carriage: Carriage,
    /// Headers besides the content type.
    pub headers: Vec<(String, String)>,
    /// Tokens counted and never written.
    pub hidden: usize,
}

/// What is known beside the request.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The whole behaviour.
    pub behaviour: &'a Behaviour,
    /// Requests this system has had before.
    pub nth: u64,
    /// How often it has had these bytes before.
    pub seen_before: u32,
    /// Words.
    pub lists: &'a Lists,
    /// Seconds since the simulator's start.
    pub since_start_s: f64,
    /// The wall clock.
    pub wall: jiff::Timestamp,
}

/// Answers a chat request; tells also which faults it met.
pub fn chat(system: &System, request: &Request, about: Circumstances<'_>) -> (Answer, Vec<Fault>) {
    let source = Source::new(about.behaviour.seed, &system.name, &request.body, about.seen_before);
    let met = fault::met(&system.faults, about.nth, &source);
    let names = met.iter().map(|(fault, _)| *fault).collect();
    let parsed = serde_json::from_slice::<Ask>(&request.body);
    let readable = parsed.is_ok();
    let ask = parsed.unwrap_or_default().settled(request);
    let call = Call { system, request, ask: &ask, source: &source, created: about.wall.as_second() };
    let refuse = |refusal, rule: Option<&Rule>| Answer::Whole(refused(&call, refusal, rule));
    if !readable {
        return (refuse(Refusal::BadRequest, None), names);
    }
    if let Some(key) = &system.key {
        let given = request.key(system.wording.key_header);
        if given.is_none() || (key != "any" && given != Some(key)) {
            return (refuse(Refusal::Unauthorized, None), names);
        }
    }
    let asked_model = ask.model.as_deref().filter(|model| !model.is_empty());
    if !system.models.is_empty() && !asked_model.is_some_and(|model| system.models.iter().any(|known| known == model)) {
        return (refuse(Refusal::NotFound, None), names);
    }
    for (fault, rule) in &met {
        if let Some(answer) = without_stream(&call, *fault, rule) {
            return (answer, names);
        }
    }
    if ask.stream != Some(true) {
        let message = Rule::saying("this simulated provider only streams; send stream: true".to_owned());
        return (refuse(Refusal::BadRequest, Some(&message)), names);
    }

    let factor = system.hours.as_ref().map_or(1.0, |hours| hours.factor(about.wall, about.since_start_s));
    let shape = distort::shape(&met);
    let script = script::plan(about.behaviour, system, &ask, &source, factor, about.lists, shape);
    let mut model = asked_model.unwrap_or(&system.model).to_owned();
    if let Some((_, rule)) = met.iter().find(|(fault, _)| *fault == Fault::OddModel) {
        model.push_str(rule.text.as_deref().unwrap_or(distort::ODD_TEXT));
    }
    let reasoning_as = shape.reasoning_as.unwrap_or(system.reasoning_as);
    let hidden = if reasoning_as == super::wording::ReasoningAs::Hidden { script.reasoning.tokens() } else { 0 };
    let mut reply = Reply::new(&call, script, &model, reasoning_as);
    let key = request.key(system.wording.key_header);
    let carriage = distort::distort(&mut reply, &met, key);
    if let Some(alive) = &system.keep_alives {
        let every = (alive.every_ms * reply.script.ns_per_ms) as u64;
        distort::keep_alive(&mut reply.script, every.max(1));
    }
    let mut headers: Vec<(String, String)> =
        system.wording.headers.iter().map(|(name, value)| ((*name).to_owned(), header_safe(&reply.fill(value)))).collect();
    if met.iter().any(|(fault, _)| *fault == Fault::EchoKeyHeader) {
        headers.push(("x-request-id".to_owned(), format!("for-{}", header_safe(key.unwrap_or("")))));
        headers.push(("x-ratelimit-limit-requests".to_owned(), header_safe(key.unwrap_or(""))));
    }
    (Answer::Stream(Box::new(Stream { reply, carriage, headers, hidden })), names)
}

fn header_safe(value: &str) -> String {
    value.chars().filter(|letter| letter.is_ascii_graphic() || *letter == ' ').collect()
}

/// Faults that answer without a stream.
fn without_stream(call: &Call<'_>, fault: Fault, rule: &Rule) -> Option<Answer> {
    let Call { system, request, .. } = call;
    let refuse = |refusal| Answer::Whole(refused(call, refusal, Some(rule)));
    let whole = |status, content_type, body: &str| {
        let body = rule.text.clone().unwrap_or_else(|| body.to_owned());
        Answer::Whole(Whole { status: rule.status.unwrap_or(status), content_type, headers: retry_after(rule), body })
    };
    Some(match fault {
        Fault::HangBeforeHeaders => Answer::Silence(Silence::Hang),
        Fault::CloseBeforeHeaders => Answer::Silence(Silence::Close),
        Fault::ResetBeforeHeaders => Answer::Silence(Silence::Reset),
        Fault::Unauthorized => refuse(Refusal::Unauthorized),
        Fault::Billing => refuse(Refusal::Billing),
        Fault::Forbidden => refuse(Refusal::Forbidden),
        Fault::NotFound => refuse(Refusal::NotFound),
        Fault::BadRequest => refuse(Refusal::BadRequest),
        Fault::ContextLength => refuse(Refusal::ContextLength),
        Fault::RateLimited => refuse(Refusal::RateLimited),
        Fault::QuotaExceeded => refuse(Refusal::QuotaExceeded),
        Fault::Overloaded => refuse(Refusal::Overloaded),
        Fault::Capacity => refuse(Refusal::Capacity),
        Fault::ServerError => refuse(Refusal::ServerError),
        Fault::Unavailable => refuse(Refusal::Unavailable),
        Fault::Overloaded529 => refuse(Refusal::Overloaded529),
        Fault::EchoKeyError => {
            let key = request.key(system.wording.key_header).unwrap_or("");
            let authorization = request.header("authorization").unwrap_or("");
            let text = format!("Incorrect API key provided: {key} (authorization: {authorization})");
            let rule = Rule::saying(text);
            Answer::Whole(refused(call, Refusal::Unauthorized, Some(&rule)))
        }
        Fault::Html200 => whole(200, "text/html", "<html><body>502 Bad Gateway</body></html>"),
        Fault::Html502 => whole(502, "text/html", "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"),
        Fault::JsonError200 => {
            whole(200, "application/json", r#"{"error":{"message":"stream not supported","type":"invalid_request_error","code":"x"}}"#)
        }
        Fault::JsonReply => whole(
            200,
            "application/json",
            r#"{"id":"chatcmpl-1","object":"chat.completion","created":1764000000,"model":"model","choices":[{"index":0,"message":{"role":"assistant","content":"river stone"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#,
        ),
        Fault::Redirect307 => {
            let mut headers = retry_after(rule);
            headers.push(("location".to_owned(), rule.text.clone().unwrap_or_else(|| format!("{}/elsewhere", request.path))));
            let body = r#"{"id":"","object":"chat.completion","created":0,"model":"","choices":[]}"#.to_owned();
            Answer::Whole(Whole { status: 307, content_type: "application/json", headers, body })
        }
        Fault::Empty200 => whole(200, "text/event-stream", ""),
        _ => return None,
    })
}

fn retry_after(rule: &Rule) -> Vec<(String, String)> {
    rule.retry_after_s.map(|seconds| vec![("retry-after".to_owned(), seconds.to_string())]).unwrap_or_default()
}

/// A refusal in the provider's own words.
fn refused(call: &Call<'_>, refusal: Refusal, rule: Option<&Rule>) -> Whole {
    let Call { system, request, ask, source, created } = call;
    let worded = system.wording.refuse(refusal, rule.and_then(|rule| rule.text.as_deref()));
    let known = |name: &str| match name {
        "model" => Some(escaped(ask.model.as_deref().unwrap_or(&system.model))),
        "id" => Some(format!("02{}", source.hex(18))),
        "request" => Some(request.header("x-request-id").map_or_else(|| source.hex(16), escaped)),
        "created" => Some(created.to_string()),
        _ => None,
    };
    let mut body = Vec::new();
    Template::new(&worded.body, &known).write("", &Counts::default(), &mut body);
    let status = rule.and_then(|rule| rule.status).unwrap_or(worded.status);
    let mut headers = rule.map(retry_after).unwrap_or_default();
    if status == 429 && headers.is_empty() {
        headers.extend(system.wording.limit_headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }
    for (name, value) in system.wording.headers.iter().filter(|(name, _)| name.starts_with("x-ratelimit-")) {
        headers.push(((*name).to_owned(), (*value).to_owned()));
    }
    Whole { status, content_type: "application/json", headers, body: String::from_utf8_lossy(&body).into_owned() }
}

/// The list of models, and what stands at the root.
pub fn other(behaviour: &Behaviour, system: Option<&System>, request: &Request) -> Whole {
    let json =
        |status, body: serde_json::Value| Whole { status, content_type: "application/json", headers: vec![], body: body.to_string() };
    let Some(system) = system else {
        let names: Vec<&str> = behaviour.systems.iter().map(|system| system.name.as_str()).collect();
        let status = if request.path == "/" { 200 } else { 404 };
        return json(status, serde_json::json!({"simulated": true, "systems": names}));
    };
    if request.method == "GET" && request.path.ends_with("/models") {
        let models = if system.models.is_empty() { std::slice::from_ref(&system.model) } else { &system.models };
        let data: Vec<_> = models.iter().map(|id| serde_json::json!({"id": id, "object": "model", "owned_by": "simulated"})).collect();
        return json(200, serde_json::json!({"object": "list", "data": data}));
    }
    json(
        404,
        serde_json::json!({"error": {"message": format!("no route for {} {}", request.method, request.path), "type": "not_found_error", "code": "not_found"}}),
    )
}
