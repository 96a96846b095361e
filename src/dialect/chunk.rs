//! One chunk of a chat stream, parsed in place: text is borrowed from the frame, odd parts stay raw until they are asked for, and
//! whatever has an unexpected JSON type counts as absent. This runs for every token on the timed path, so there is no
//! `serde_json::Value` here and, for a plain chunk, no allocation.

use super::chat::ChatDialect;
use crate::timeline::Phase;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A chunk. Everything in it may be missing.
#[derive(Debug, Default)]
pub(super) struct Chunk<'a> {
    /// The first choice; a stream is asked for one.
    pub first: Option<Choice<'a>>,
    /// Choices beyond the first (nobody asks for them, some send them).
    pub rest: Vec<Choice<'a>>,
    pub model: Text<'a>,
    pub fingerprint: Text<'a>,
    /// The upstream that a router names.
    pub upstream: Text<'a>,
    pub usage: Option<&'a RawValue>,
    pub timing: Option<&'a RawValue>,
    /// The profile's extension object.
    pub extension: Option<&'a RawValue>,
    /// Something in it looks like an error: worth a second, slow look.
    pub suspect: bool,
}

/// One choice of a chunk.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub delta: Delta<'a>,
    /// The whole message of a reply that was not streamed; boxed, since the chunks of a stream have none and are moved about.
    pub message: Option<Box<Delta<'a>>>,
    pub finish: Text<'a>,
    pub usage: Option<&'a RawValue>,
}

/// What a choice adds.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    /// The reasoning of the field that stands first in the profile's order among the non-empty ones.
    pub reasoning: Text<'a>,
    rank: usize,
    pub content: Text<'a>,
    pub refusal: Text<'a>,
    /// The same reasoning once more, in parts.
    pub details: Option<&'a RawValue>,
    pub tools: Option<&'a RawValue>,
}

/// A text that may be missing, null or of another type; then it is empty.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Chunk<'a> {
    /// Parses one JSON object. The error says only that it could not be read.
    pub fn parse(data: &'a [u8], dialect: &ChatDialect) -> serde_json::Result<Chunk<'a>> {
        let mut deserializer = serde_json::Deserializer::from_slice(data);
        let chunk = ChunkSeed(dialect).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(chunk)
    }
    /// The reasoning or the content, if that is all that the chunk says beside names.
    pub fn only_text(&self) -> Option<(Phase, &str)> {
        let Choice { delta, message: None, finish, usage: None } = self.first.as_ref()? else { return None };
        let Delta { reasoning, rank: _, content, refusal, details: None, tools: None } = delta else { return None };
        let more = [self.usage, self.timing, self.extension].iter().any(Option::is_some) || self.suspect || !self.rest.is_empty();
        if more || !finish.is_empty() || !refusal.is_empty() {
            return None;
        }
        match (reasoning.as_str(), content.as_str()) {
            ("", text) => Some((Phase::Content, text)),
            (text, "") => Some((Phase::Reasoning, text)),
            _ => None,
        }
    }
    pub fn choices(&self) -> impl Iterator<Item = &Choice<'a>> {
        self.first.iter().chain(&self.rest)
    }
}

/// Visitor methods for the JSON types that a place does not expect: the value counts as absent.
macro_rules! absent {
    ($($kind:ident)*) => { $(absent!(@$kind);)* };
    (@scalars) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok(Default::default()) }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok(Default::default()) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok(Default::default()) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok(Default::default()) }
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok(Default::default()) }
    };
    (@text) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok(Default::default()) }
    };
    (@seq) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
    (@map) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
}

struct ChunkSeed<'d>(&'d ChatDialect);

impl<'de> DeserializeSeed<'de> for ChunkSeed<'_> {
    type Value = Chunk<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Chunk<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ChunkSeed<'_> {
    type Value = Chunk<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a chunk")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Chunk<'de>, A::Error> {
        let dialect = self.0;
        let mut chunk = Chunk::default();
        let (mut choices, mut words, mut code) = (false, false, Code::Absent);
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            match &*key {
                "choices" => {
                    choices = true;
                    (chunk.first, chunk.rest) = map.next_value_seed(ChoicesSeed(dialect))?;
                }
                "model" => chunk.model = map.next_value()?,
                "system_fingerprint" => chunk.fingerprint = map.next_value()?,
                "provider" => chunk.upstream = map.next_value()?,
                "usage" => chunk.usage = map.next_value()?,
                "error" => chunk.suspect |= map.next_value::<Presence>()?.0,
                "code" => code = map.next_value_seed(CodeSeed(dialect))?,
                "object" => chunk.suspect |= map.next_value::<Text<'de>>()?.as_str() == "error",
                "message" | "detail" | "title" => words |= map.next_value::<Presence>()?.0,
                key if dialect.extension.as_deref() == Some(key) => chunk.extension = map.next_value()?,
                key if dialect.timing.iter().any(|field| field == key) => chunk.timing = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        chunk.suspect |= match code {
            Code::Bad => true,
            Code::Word => !choices,
            Code::Good => false,
            Code::Absent => words && !choices,
        };
        Ok(chunk)
    }
}

struct ChoicesSeed<'d>(&'d ChatDialect);

impl<'de> DeserializeSeed<'de> for ChoicesSeed<'_> {
    type Value = (Option<Choice<'de>>, Vec<Choice<'de>>);
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ChoicesSeed<'_> {
    type Value = (Option<Choice<'de>>, Vec<Choice<'de>>);
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("choices")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let first = seq.next_element_seed(ChoiceSeed(self.0))?;
        let mut rest = Vec::new();
        while let Some(choice) = seq.next_element_seed(ChoiceSeed(self.0))? {
            rest.push(choice);
        }
        Ok((first, rest))
    }
    absent!(scalars text map);
}

struct ChoiceSeed<'d>(&'d ChatDialect);

impl<'de> DeserializeSeed<'de> for ChoiceSeed<'_> {
    type Value = Choice<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Choice<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ChoiceSeed<'_> {
    type Value = Choice<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a choice")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Choice<'de>, A::Error> {
        let mut choice = Choice::default();
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            match &*key {
                "delta" => choice.delta = map.next_value_seed(DeltaSeed(self.0))?,
                "message" => choice.message = Some(Box::new(map.next_value_seed(DeltaSeed(self.0))?)),
                "finish_reason" => choice.finish = map.next_value()?,
                "usage" => choice.usage = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(choice)
    }
    absent!(scalars text seq);
}

struct DeltaSeed<'d>(&'d ChatDialect);

impl<'de> DeserializeSeed<'de> for DeltaSeed<'_> {
    type Value = Delta<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Delta<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DeltaSeed<'_> {
    type Value = Delta<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delta")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Delta<'de>, A::Error> {
        let mut delta = Delta::default();
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            match &*key {
                "content" => delta.content = map.next_value()?,
                "refusal" => delta.refusal = map.next_value()?,
                "reasoning_details" => delta.details = map.next_value()?,
                "tool_calls" => delta.tools = map.next_value()?,
                "function_call" if delta.tools.is_none() => delta.tools = map.next_value()?,
                key => match self.0.reasoning_fields.iter().position(|field| field == key) {
                    Some(rank) => {
                        let text: Text<'de> = map.next_value()?;
                        if !text.is_empty() && (delta.reasoning.is_empty() || rank < delta.rank) {
                            (delta.reasoning, delta.rank) = (text, rank);
                        }
                    }
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        Ok(delta)
    }
    absent!(scalars text seq);
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            /// Some servers send a text in parts: `[{"type":"text","text":"…"}]`.
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text<'de>, A::Error> {
                let mut joined = String::new();
                while let Some(Part(part)) = seq.next_element::<Part<'de>>()? {
                    joined.push_str(part.as_str());
                }
                Ok(Text(Cow::Owned(joined)))
            }
            absent!(scalars map);
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// The text of one part of a text.
#[derive(Default)]
struct Part<'a>(Text<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Part<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartVisitor;
        impl<'de> Visitor<'de> for PartVisitor {
            type Value = Part<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a part of a text")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part<'de>, A::Error> {
                let mut part = Part::default();
                while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
                    match &*key {
                        "text" => part.0 = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(part)
            }
            absent!(scalars text seq);
        }
        deserializer.deserialize_any(PartVisitor)
    }
}

/// Whether a value says anything: not null, false, `""`, `[]` or `{}`.
#[derive(Default)]
struct Presence(bool);

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PresenceVisitor;
        impl<'de> Visitor<'de> for PresenceVisitor {
            type Value = Presence;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Presence, E> {
                Ok(Presence(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Presence, E> {
                Ok(Presence(value != 0))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Presence, E> {
                Ok(Presence(value != 0))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Presence, E> {
                Ok(Presence(value != 0.0))
            }
            fn visit_str<E>(self, value: &str) -> Result<Presence, E> {
                Ok(Presence(!value.is_empty()))
            }
            fn visit_unit<E>(self) -> Result<Presence, E> {
                Ok(Presence(false))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Presence, A::Error> {
                let mut some = false;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    some = true;
                }
                Ok(Presence(some))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Presence, A::Error> {
                let mut some = false;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    some = true;
                }
                Ok(Presence(some))
            }
        }
        deserializer.deserialize_any(PresenceVisitor)
    }
}

/// What a top-level `code` says.
#[derive(Default)]
enum Code {
    #[default]
    Absent,
    /// A number that the profile counts as success.
    Good,
    /// Another number.
    Bad,
    /// A word.
    Word,
}

struct CodeSeed<'d>(&'d ChatDialect);

impl<'de> DeserializeSeed<'de> for CodeSeed<'_> {
    type Value = Code;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Code, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl CodeSeed<'_> {
    fn number(&self, code: i64) -> Code {
        match self.0.ok_codes.contains(&code) {
            true => Code::Good,
            false => Code::Bad,
        }
    }
}

impl<'de> Visitor<'de> for CodeSeed<'_> {
    type Value = Code;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code")
    }
    fn visit_bool<E>(self, _: bool) -> Result<Code, E> {
        Ok(Code::Absent)
    }
    fn visit_i64<E>(self, code: i64) -> Result<Code, E> {
        Ok(self.number(code))
    }
    fn visit_u64<E>(self, code: u64) -> Result<Code, E> {
        Ok(self.number(i64::try_from(code).unwrap_or(i64::MAX)))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Code, E> {
        Ok(Code::Absent)
    }
    fn visit_unit<E>(self) -> Result<Code, E> {
        Ok(Code::Absent)
    }
    fn visit_str<E>(self, code: &str) -> Result<Code, E> {
        Ok(match code.parse() {
            Ok(number) => self.number(number),
            Err(_) if code.is_empty() => Code::Absent,
            Err(_) => Code::Word,
        })
    }
    absent!(seq map);
}
