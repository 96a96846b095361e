//! The times of the day that a plan fixes, as a user writes them.

use super::source::{PlanError, Source};
use crate::record::{ClockSpan, NotAClockSpan, Windows, zone};
use serde::{Deserialize, Serialize};

/// Times of the day, as `09:00-12:00`. What is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowsFile {
    /// IANA name of the zone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<String>,
    /// When much is asked of the providers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peak: Option<Vec<String>>,
    /// When little is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub off_peak: Option<Vec<String>>,
}

impl WindowsFile {
    /// Windows as a file says them.
    pub fn of(windows: &Windows) -> WindowsFile {
        let texts = |spans: &[ClockSpan]| Some(spans.iter().map(ClockSpan::to_string).collect());
        WindowsFile { zone: Some(windows.zone.clone()), peak: texts(&windows.peak), off_peak: texts(&windows.off_peak) }
    }
}

/// The windows of a plan, checked; what it leaves out has its default.
pub(super) fn resolve(file: Option<&WindowsFile>, source: Option<Source<'_>>) -> Result<Windows, PlanError> {
    let default = Windows::default();
    let Some(own) = file else { return Ok(default) };
    let fault = |key: &str, message: String| PlanError::at(source, &format!("windows.{key}"), message);
    let spans = |key: &str, own: &Option<Vec<String>>, default: Vec<ClockSpan>| {
        let Some(texts) = own else { return Ok(default) };
        if texts.is_empty() {
            return Err(fault(key, "an empty list holds no time; name at least one, such as \"09:00-12:00\"".into()));
        }
        let span =
            |(at, text): (usize, &String)| text.parse().map_err(|error: NotAClockSpan| fault(&format!("{key}[{at}]"), error.to_string()));
        texts.iter().enumerate().map(span).collect()
    };
    let windows = Windows {
        zone: own.zone.clone().unwrap_or(default.zone),
        peak: spans("peak", &own.peak, default.peak)?,
        off_peak: spans("off_peak", &own.off_peak, default.off_peak)?,
    };
    zone(&windows.zone).map_err(|error| fault("zone", error.to_string()))?;
    match windows.overlap() {
        Some(time) => {
            let key = if own.off_peak.is_some() { "off_peak" } else { "peak" };
            Err(fault(key, format!("{time} lies in both windows; a time is peak, off-peak or neither")))
        }
        None => Ok(windows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanFile;

    fn windows_of(text: &str) -> Result<Windows, String> {
        let source = Source { file: "plan.yaml", text };
        let file = PlanFile::parse(source).map_err(|error| error.to_string())?;
        resolve(file.windows.as_ref(), Some(source)).map_err(|error| error.to_string())
    }

    #[test]
    fn windows_are_fixed_in_the_plan_and_their_faults_shown_in_their_place() {
        let text = "windows:\n  zone: Europe/Berlin\n  peak: [\"22:00-02:00\"]\n  off_peak:\n    - 04:00-07:30\n";
        let windows = windows_of(text).unwrap();
        assert_eq!((windows.zone.as_str(), windows.peak[0].to_string().as_str()), ("Europe/Berlin", "22:00-02:00"));
        let error = |text: &str| windows_of(&format!("name: x\nseed: 2\nwindows:\n{text}")).unwrap_err();
        let zone = error("  zone: Asia/Shangai\n");
        assert!(
            zone.starts_with("plan.yaml:4: windows.zone: `Asia/Shangai` is no time zone that is known here; did you mean `Asia/Shanghai`?"),
            "{zone}"
        );
        let span = error("  peak:\n    - 09:00-12:00\n    - 9 to 12\n");
        assert!(span.starts_with("plan.yaml:6: windows.peak[1]: \"9 to 12\" is no time of the day; write it as \"09:00-12:00\""), "{span}");
        assert!(error("  off_peak: []\n").starts_with("plan.yaml:4: windows.off_peak: an empty list holds no time"));
        let both = error("  off_peak:\n    - 00:00-10:00\n");
        assert!(both.starts_with("plan.yaml:4: windows.off_peak: 09:00 lies in both windows"), "{both}");
        assert!(error("  of_peak: []\n").starts_with("plan.yaml:4: windows.of_peak: unknown key; did you mean `off_peak`?"));
    }
}
