//! Reading a request: HTTP/1.1 head, a body of known length, and the few fields of its JSON that a simulated model heeds.

use serde::Deserialize;

/// Largest head that is read.
const HEAD_LIMIT: usize = 64 << 10;
/// Largest body that is read.
const BODY_LIMIT: usize = 32 << 20;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// Whether the connection is to be closed after the answer.
    pub close: bool,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the bytes so far are.
#[derive(Debug)]
pub enum Read {
    /// Not all of it has come; whether the client waits to be told to go on.
    More {
        /// `expect: 100-continue`.
        expects_continue: bool,
    },
    /// A whole request, and how many bytes it took.
    Whole(Box<Request>, usize),
    /// Not a request: the status to answer with.
    Malformed(u16),
}

/// Looks for a request at the start of `bytes`.
pub fn read(bytes: &[u8]) -> Read {
    let Some(end) = bytes.windows(4).take(HEAD_LIMIT).position(|four| four == b"\r\n\r\n") else {
        // A head that does not begin like one is refused at once: it would be waited for in vain.
        let begins_well = bytes.iter().take(16).take_while(|byte| **byte != b' ').all(u8::is_ascii_uppercase);
        return match (begins_well, bytes.len() < HEAD_LIMIT) {
            (false, _) => Read::Malformed(400),
            (true, true) => Read::More { expects_continue: false },
            (true, false) => Read::Malformed(431),
        };
    };
    let Some(mut request) = std::str::from_utf8(&bytes[..end]).ok().and_then(head) else { return Read::Malformed(400) };
    if request.header("transfer-encoding").is_some() {
        return Read::Malformed(411);
    }
    let length = match request.header("content-length").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(length)) if length <= BODY_LIMIT => length,
        Some(Ok(_)) => return Read::Malformed(413),
        Some(Err(_)) => return Read::Malformed(400),
    };
    let total = end + 4 + length;
    if bytes.len() < total {
        let expects = request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        return Read::More { expects_continue: expects && bytes.len() == end + 4 };
    }
    request.body = bytes[end + 4..total].to_vec();
    Read::Whole(Box::new(request), total)
}

fn head(text: &str) -> Option<Request> {
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let known = version == "HTTP/1.1" || version == "HTTP/1.0";
    if !known || words.next().is_some() || method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        if name.is_empty() || name.contains(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()) {
            return None;
        }
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let path = target.split(['?', '#']).next().unwrap_or("").to_owned();
    let mut request = Request { method: method.to_owned(), path, close: version == "HTTP/1.0", headers, body: Vec::new() };
    if request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        request.close = true;
    }
    path_is_plain(&request.path).then_some(request)
}

fn path_is_plain(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
    /// The key: what follows `Bearer`, or the header `key_header` if the provider has one.
    pub fn key(&self, key_header: &str) -> Option<&str> {
        let own = (!key_header.is_empty()).then(|| self.header(key_header)).flatten();
        let bearer = || self.header("authorization").map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
        own.or_else(bearer).filter(|key| !key.is_empty())
    }
}

/// The fields of a chat request that a simulated model heeds. All others are taken and ignored, as most providers do.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    /// The model.
    pub model: Option<String>,
    /// Whether to stream.
    pub stream: Option<bool>,
    /// Usage.
    pub stream_options: Option<StreamOptions>,
    /// A cap.
    pub max_tokens: Option<u64>,
    /// A cap on the whole output.
    pub max_completion_tokens: Option<u64>,
    /// The prompt.
    pub messages: Vec<Message>,
    /// Bailian, SiliconFlow.
    pub enable_thinking: Option<bool>,
    /// DeepSeek, Ark: `{"type": "disabled"}`.
    pub thinking: Option<Thinking>,
    /// vLLM, SGLang.
    pub chat_template_kwargs: Option<TemplateSwitches>,
    /// `none` switches thinking off.
    pub reasoning_effort: Option<String>,
    /// vLLM, Groq: whether reasoning is sent.
    pub include_reasoning: Option<bool>,
    /// Ollama's own protocol: `false` switches thinking off.
    pub think: Option<serde_json::Value>,
    /// Ollama's own protocol.
    pub options: Option<OllamaOptions>,
    /// DashScope's own protocol: the prompt.
    pub input: Option<Input>,
    /// DashScope's own protocol: the rest.
    pub parameters: Option<Parameters>,
    /// llama.cpp.
    pub return_progress: Option<bool>,
}

/// `input` of DashScope's own protocol.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Input {
    /// The prompt.
    pub messages: Vec<Message>,
}

/// `parameters` of DashScope's own protocol.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Parameters {
    /// A cap.
    pub max_tokens: Option<u64>,
    /// Thinking.
    pub enable_thinking: Option<bool>,
}

/// `options` of Ollama's own protocol.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OllamaOptions {
    /// A cap on the whole output.
    pub num_predict: Option<u64>,
}

/// `stream_options`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StreamOptions {
    /// Usage at all.
    pub include_usage: Option<bool>,
    /// vLLM, SGLang: on every chunk.
    pub continuous_usage_stats: Option<bool>,
    /// Ark: on every chunk.
    pub chunk_include_usage: Option<bool>,
}

/// A message; only its length matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Text, or parts.
    pub content: serde_json::Value,
}

/// `thinking`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Thinking {
    /// `enabled`, `disabled`, `auto`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// `chat_template_kwargs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TemplateSwitches {
    /// Qwen.
    pub enable_thinking: Option<bool>,
    /// DeepSeek.
    pub thinking: Option<bool>,
}

impl Ask {
    /// What other protocols say elsewhere is put where chat has it; DashScope's streams where the header asks for that.
    pub fn settled(mut self, request: &Request) -> Ask {
        if let Some(options) = self.options.take() {
            self.max_tokens = self.max_tokens.or(options.num_predict);
        }
        let Some(input) = self.input.take() else { return self };
        self.messages = input.messages;
        let parameters = self.parameters.take().unwrap_or_default();
        (self.max_tokens, self.enable_thinking) = (parameters.max_tokens, parameters.enable_thinking);
        self.stream = Some(request.header("x-dashscope-sse") == Some("enable"));
        self
    }
    /// Whether the request asks for usage.
    pub fn wants_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage == Some(true)) || self.wants_usage_always()
    }
    /// Whether it asks for usage on every chunk.
    pub fn wants_usage_always(&self) -> bool {
        let on = |option: Option<bool>| option == Some(true);
        self.stream_options.as_ref().is_some_and(|options| on(options.continuous_usage_stats) || on(options.chunk_include_usage))
    }
    /// Whether it asks not to think.
    pub fn declines_thinking(&self) -> bool {
        let switches = self.chat_template_kwargs.as_ref();
        self.enable_thinking == Some(false)
            || self.think == Some(serde_json::Value::Bool(false))
            || self.thinking.as_ref().is_some_and(|thinking| thinking.kind.as_deref() == Some("disabled"))
            || switches.is_some_and(|switches| switches.enable_thinking == Some(false) || switches.thinking == Some(false))
            || self.reasoning_effort.as_deref() == Some("none")
    }
    /// Tokens of the prompt, as a guess from its length: a quarter of the ASCII letters and three quarters of the others.
    pub fn prompt_tokens(&self) -> usize {
        let mut quarters = 0;
        for message in &self.messages {
            let text = match &message.content {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            quarters += text.chars().map(|letter| if letter.is_ascii() { 1 } else { 3 }).sum::<usize>();
        }
        4 + quarters / 4
    }
    /// Whether the prompt holds Chinese characters.
    pub fn is_chinese(&self) -> bool {
        let han = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        self.messages.iter().any(|message| match &message.content {
            serde_json::Value::String(text) => han(text),
            other => han(&other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = b"POST /a/chat/completions?x=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer k\r\nContent-Length: 2\r\n\r\n{}";

    #[test]
    fn a_request_is_whole_when_its_last_byte_is_there() {
        for cut in 0..GOOD.len() {
            assert!(matches!(read(&GOOD[..cut]), Read::More { .. }), "cut at {cut}");
        }
        let Read::Whole(request, used) = read(&[GOOD, b"GET"].concat()) else { panic!("a whole request") };
        assert_eq!((used, request.path.as_str(), request.key("")), (GOOD.len(), "/a/chat/completions", Some("k")));
        assert_eq!((request.body.as_slice(), request.close), (&b"{}"[..], false));
    }

    #[test]
    fn garbage_is_refused_and_never_waited_for() {
        for (bytes, status) in [
            (&b"\x16\x03\x01\x02\x00"[..], 400),
            (b"hello world", 400),
            (b"GET /\r\n\r\n", 400),
            (b"GET / HTTP/2.0\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", 413),
            (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", 411),
            (b"POST / HTTP/1.1\r\nno colon\r\n\r\n", 400),
            (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
        ] {
            assert!(matches!(read(bytes), Read::Malformed(is) if is == status), "{}", String::from_utf8_lossy(bytes));
        }
        assert!(matches!(read(&vec![b'A'; HEAD_LIMIT + 1]), Read::Malformed(431)));
    }

    #[test]
    fn a_wish_not_to_think_is_seen_in_every_form() {
        for body in [
            r#"{"enable_thinking":false}"#,
            r#"{"thinking":{"type":"disabled"}}"#,
            r#"{"chat_template_kwargs":{"enable_thinking":false}}"#,
            r#"{"chat_template_kwargs":{"thinking":false}}"#,
            r#"{"reasoning_effort":"none"}"#,
        ] {
            assert!(serde_json::from_str::<Ask>(body).unwrap().declines_thinking(), "{body}");
        }
        assert!(!serde_json::from_str::<Ask>(r#"{"reasoning_effort":"low","x":1}"#).unwrap().declines_thinking());
    }
}
