//! Everything of the hours, for programs: every test in full, and the reason for every one that is missing.

use super::answers::{clock, doubts, peak_to_trough};
use super::heat::block;
use crate::analysis::{Bin, Hours, NoHours, Panel, PeakOffPeak, Swing, TargetHours, Tested};
use crate::report::made::Reading;
use crate::report::tables::{ends, figure};
use crate::report::targets::target_name;
use crate::report::words::hours::{pair, swing};
use crate::report::words::withheld;
use crate::report::{Lang, Worded};
use crate::stats::Extended;
use serde::Serialize;
use serde_json::{Value, json};

/// One quantity.
pub(super) fn full(reading: &Reading<'_>, panel: &Panel, found: &Result<Hours, NoHours>) -> Value {
    let mut whole = json!({
        "metric": panel.quantity.name(),
        "unit": reading.unit(panel.quantity),
        "rounds": panel.rounds.len(),
        "prompts": panel.prompts,
        "limit_s": panel.limit_s,
        "span": panel.span().map(|(from, to)| [from.to_string(), to.to_string()]),
    });
    reading.constants().into_iter().for_each(|(name, value)| whole[name] = json!(value));
    let hours = match found {
        Ok(hours) => hours,
        Err(why) => {
            whole["refused"] = json!(why.words(reading.lang));
            return whole;
        }
    };
    let lang = reading.lang;
    let names: Vec<String> = hours.targets.iter().map(|target| target_name(target.id.as_str(), target.simulated)).collect();
    whole["client_limited"] = json!(hours.client);
    whole["zone"] = json!(hours.zone);
    whole["days"] = json!(hours.days);
    whole["bin_hours"] = json!(hours.bin.hours());
    whole["windows"] = json!(hours.windows);
    whole["confidence"] = json!(hours.confidence);
    whole["seed"] = json!(hours.seed);
    whole["targets"] = hours.targets.iter().zip(&names).map(|(target, name)| of_target(target, name, hours, lang)).collect();
    for (target, object) in whole["targets"].as_array_mut().into_iter().flatten().enumerate() {
        object["doubts"] = json!(doubts(panel, hours, target).iter().map(|bar| bar.words(lang)).collect::<Vec<_>>());
    }
    let pairs = hours.pairs.iter().map(|one| {
        let mut object = of_windows(&one.windows);
        object["first"] = json!(names[one.a]);
        object["second"] = json!(names[one.b]);
        object["dependence"] = of_dependence(one.dependence, one.is_dependent());
        object["words"] = json!(pair(&names[one.a], &names[one.b], one, lang));
        object
    });
    whole["pairs"] = pairs.collect();
    whole["warnings"] = json!(super::caption::warnings(reading, hours));
    whole["caption"] = json!(super::caption::caption(reading, panel, hours, true));
    whole
}

fn of_target(target: &TargetHours, name: &str, hours: &Hours, lang: Lang) -> Value {
    let mut windows = of_windows(&target.windows);
    windows["words"] = json!(swing(target, lang));
    let extremes = target.extremes.map(|found| {
        json!({
            "slowest_from_hour": found.slowest, "fastest_from_hour": found.fastest, "ratio": found.ratio,
            "by_chance": {"median": found.by_chance, "p95": found.by_chance_upper, "p": found.p, "shuffles": found.shuffles},
        })
    });
    let day = &target.day;
    json!({
        "target": name,
        "rounds": target.rounds,
        "days": target.days,
        "heat": target.bins.iter().map(block).collect::<String>(),
        "bins": target.bins.iter().map(|bin| of_bin(bin, hours.bin.hours())).collect::<Vec<_>>(),
        "peak_off_peak": windows,
        "extremes": extremes,
        "dependence": of_dependence(target.dependence, target.is_dependent()),
        "kruskal_wallis": of_test(day.kruskal_wallis.as_ref(), hours),
        "cosinor": of_wave(day.cosinor.as_ref(), hours),
        "brown_forsythe": of_test(day.brown_forsythe.as_ref(), hours),
        "variance": match &day.variance {
            Ok(found) => json!({
                "variances": {"rounds": found.variances.rows, "prompts": found.variances.columns, "residual": found.variances.residual},
                "shares": found.shares.map(|s| json!({"rounds": s.rows, "prompts": s.columns, "residual": s.residual})),
            }),
            Err(why) => json!({"missing": why.to_string()}),
        },
    })
}

fn of_dependence(r1: Option<f64>, dependent: bool) -> Value {
    json!({"r1_corrected": r1, "p_values_in_brackets": dependent})
}

fn of_bin(bin: &Bin, width: u16) -> Value {
    let median = match bin.median {
        Some(Extended::Finite(value)) => json!({ "value": value }),
        Some(Extended::Never) => json!({"never": true}),
        None => Value::Null,
    };
    json!({
        "from_hour": bin.from_hour, "to_hour": bin.from_hour + width, "rounds": bin.rounds, "median": median,
        "ratio": bin.ratio.as_ref().map(figure), "ok": bin.success.0, "sent": bin.success.1,
    })
}

fn of_windows(windows: &PeakOffPeak) -> Value {
    json!({
        "peak_rounds": windows.peak,
        "off_peak_rounds": windows.off_peak,
        "ratio": windows.ratio.as_ref().map(figure),
        "t": windows.welch.and_then(|welch| welch.t),
        "df": windows.welch.and_then(|welch| welch.df),
        "p": windows.welch.and_then(|welch| welch.p),
        "p_holm": windows.p_holm,
        "verdict": windows.swing.name(),
        "verdict_without_rate_limited": windows.left_out.map(Swing::name),
    })
}

fn of_test<T: Serialize>(tested: Option<&Tested<T>>, hours: &Hours) -> Value {
    let Some(tested) = tested else {
        let few = || "too few days or hours for tests".to_owned();
        return json!({ "missing": hours.client.map_or_else(few, |bottleneck| withheld(&bottleneck, Lang::En)) });
    };
    match &tested.result {
        Ok(test) => {
            let mut object = json!(test);
            object["p_holm"] = json!(tested.p_holm);
            object
        }
        Err(why) => json!({"missing": why.to_string()}),
    }
}

fn of_wave(tested: Option<&Tested<crate::stats::Cosinor>>, hours: &Hours) -> Value {
    let mut object = of_test(tested, hours);
    if let Some(Ok(test)) = tested.map(|tested| &tested.result) {
        object["f"] = test.f.finite().map_or(json!("never"), |f| json!(f));
        let (ratio, interval) = peak_to_trough(test, hours.confidence);
        object["peak_to_trough"] = json!({"value": ratio, "interval": interval.as_ref().map(ends)});
        object["peak_clock"] = json!(test.peak_hour.map(clock));
    }
    object
}
