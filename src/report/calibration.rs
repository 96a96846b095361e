//! A calibration: the errors by quantity, what was claimed and judged, and what these figures are.

use super::words::calibration::{client, conditions, legend, machine, meaning, warnings};
use super::{Cell, Column, Digits, Format, Kind, Lang, Row, Table, json};
use crate::record::{Calibration, CalibrationErrors, CalibrationLevel, Errors};
use serde_json::Value;

/// A calibration as it is read.
#[derive(Debug, Clone, Copy)]
pub struct CalibrationReading<'a> {
    /// The calibration.
    pub calibration: &'a Calibration,
    /// Where it is stored.
    pub file: &'a str,
    /// The language.
    pub lang: Lang,
}

/// A calibration in the forms that formats take.
#[derive(Debug, Clone)]
pub struct CalibrationTables {
    people: Vec<Table>,
    list: Table,
    full: Value,
}

/// One quantity whose error is told.
struct Of {
    name: &'static str,
    /// In files, as the record has it.
    unit: &'static str,
    /// From that unit to the one shown.
    factor: f64,
    title: (&'static str, &'static str),
    /// Shown to people; files have all.
    shown: bool,
    of: fn(&CalibrationErrors) -> Option<Errors>,
}

const QUANTITIES: [Of; 7] = [
    Of { name: "ttft", unit: "µs", factor: 1.0, title: ("TTFT, µs", "首字（TTFT），µs"), shown: true, of: |errors| errors.ttft_us },
    Of {
        name: "ttft_from_read",
        unit: "µs",
        factor: 1.0,
        title: ("TTFT from the simulator's read, µs", "自模拟器读到请求起的首字，µs"),
        shown: false,
        of: |errors| errors.ttft_from_read_us,
    },
    Of {
        name: "gap_exact",
        unit: "µs",
        factor: 1.0,
        title: ("gap between two exact times, µs", "两个精确时刻之间的间隔，µs"),
        shown: true,
        of: |errors| errors.gap_exact_us,
    },
    Of {
        name: "gap",
        unit: "µs",
        factor: 1.0,
        title: ("gap between any two reads, µs", "任意两次读取之间的间隔，µs"),
        shown: true,
        of: |errors| errors.gap_us,
    },
    Of {
        name: "speed", unit: "share", factor: 100.0, title: ("decode speed, %", "解码速度，%"), shown: true, of: |errors| errors.speed
    },
    Of {
        name: "tokens",
        unit: "tokens",
        factor: 1.0,
        title: ("tokens of a reply", "每个回复的 token 数"),
        shown: true,
        of: |errors| errors.tokens,
    },
    Of {
        name: "client_lag",
        unit: "µs",
        factor: 1.0,
        title: ("kernel to user, µs", "内核到用户态的延迟，µs"),
        shown: false,
        of: |errors| errors.lag_us,
    },
];

/// The tables of a calibration.
pub fn calibration_tables(reading: &CalibrationReading<'_>) -> CalibrationTables {
    let mut full = serde_json::to_value(reading.calibration).unwrap_or_default();
    full["file"] = Value::from(reading.file);
    CalibrationTables { people: vec![errors(reading), judged(reading)], list: list(reading), full }
}

impl CalibrationTables {
    /// Writes them.
    pub fn write(&self, format: Format, width: usize) -> String {
        match format {
            Format::Terminal => self.people.iter().map(|table| table.write(format, width)).collect(),
            Format::Markdown => self.people.iter().map(|table| table.write(format, width)).collect::<Vec<_>>().join("\n"),
            Format::Csv => self.list.write(format, width),
            Format::Json => json::text(&self.full),
        }
    }
}

fn number(name: &str, title: &str, digits: Digits) -> Column {
    Column::new(name, title, Kind::Number { in_seconds: false, digits })
}

fn errors(reading: &CalibrationReading<'_>) -> Table {
    let (lang, calibration) = (reading.lang, reading.calibration);
    let columns = vec![
        Column::new("client", lang.say("client", "客户端"), Kind::Name),
        number("streams", lang.say("streams", "并发流"), Digits::Whole),
        number("n", lang.say("n", "个数"), Digits::Whole),
        number("p50", "p50", Digits::Three),
        number("p95", "p95", Digits::Three),
        number("p99", "p99", Digits::Three),
        number("max", lang.say("max", "最大"), Digits::Three),
    ];
    let mut rows: Vec<Row> = Vec::new();
    for quantity in QUANTITIES.iter().filter(|quantity| quantity.shown) {
        let told = calibration.levels.iter().filter_map(|level| Some((level, (quantity.of)(&level.errors)?)));
        let of_quantity = told.enumerate().map(|(at, (level, errors))| {
            let [p50, p95, p99, max] = [errors.p50, errors.p95, errors.p99, errors.max].map(|error| Cell::number(error * quantity.factor));
            let streams = Cell::number(f64::from(level.load.streams));
            let cells = vec![Cell::Text(client(&level.load)), streams, Cell::number(errors.n as f64), p50, p95, p99, max];
            let head = (at == 0).then(|| lang.say(quantity.title.0, quantity.title.1).to_owned());
            Row { line_above: head, ..Row::new(cells) }
        });
        rows.extend(of_quantity);
    }
    let title =
        lang.say("calibration: |measured − true| of this client, by what was measured", "校准：本客户端的误差 |测得 − 真值|，按测量项列出");
    Table { lang, title: title.into(), columns, rows, ..Table::default() }
}

fn judged(reading: &CalibrationReading<'_>) -> Table {
    let (lang, calibration) = (reading.lang, reading.calibration);
    let columns = vec![
        Column::new("client", lang.say("client", "客户端"), Kind::Name),
        number("streams", lang.say("streams", "并发流"), Digits::Whole),
        Column::new("outcomes", lang.say("outcomes", "结果"), Kind::Count).unit("right/of"),
        Column::new("claims", lang.say("claims", "时刻声明"), Kind::Count).unit("wrong/of"),
        number("exact", lang.say("exact", "精确"), Digits::Tenths).unit("%"),
        number("lag_p50", lang.say("lag p50", "延迟 p50"), Digits::Three).unit("µs"),
        number("lag_p99", "p99", Digits::Three).unit("µs"),
        number("cpu", "CPU", Digits::Whole).unit("%"),
    ];
    let row = |level: &CalibrationLevel| {
        let errors = &level.errors;
        let count = |part: u64, of: u64| Cell::Count { part: part as usize, of: of as usize, interval: None };
        let or_none = |value: Option<f64>| value.map_or_else(|| Cell::Missing(String::new()), Cell::number);
        let exact = (0 < errors.claims.checked).then(|| 100.0 * errors.claims.exact as f64 / errors.claims.checked as f64);
        Row::new(vec![
            Cell::Text(client(&level.load)),
            Cell::number(f64::from(level.load.streams)),
            count(errors.outcomes.right, errors.outcomes.right + errors.outcomes.wrong),
            count(errors.claims.wrong, errors.claims.checked),
            or_none(exact),
            or_none(errors.lag_us.map(|lag| lag.p50)),
            or_none(errors.lag_us.map(|lag| lag.p99)),
            or_none(level.cost.cpu_share.map(|share| 100.0 * share)),
        ])
    };
    let mut caption = meaning(lang);
    caption.push(machine(calibration, lang));
    caption.push(conditions(calibration, lang));
    caption.push(match lang {
        Lang::En => format!("Stored as {}: later runs with this folder of results cite it.", reading.file),
        Lang::Zh => format!("已存为 {}，此后结果存于同一目录的运行会引用它。", reading.file),
    });
    Table {
        lang,
        columns,
        rows: calibration.levels.iter().map(row).collect(),
        legend: legend(calibration, lang),
        warnings: warnings(calibration, lang),
        caption,
        ..Table::default()
    }
}

fn list(reading: &CalibrationReading<'_>) -> Table {
    let fine = |name: &str| number(name, name, Digits::Three);
    let words = |name: &str| Column::new(name, name, Kind::Words);
    let columns = vec![
        words("transport"),
        words("http2"),
        words("tls"),
        words("new_connections"),
        fine("streams"),
        words("quantity"),
        words("unit"),
        fine("n"),
        fine("p50"),
        fine("p95"),
        fine("p99"),
        fine("max"),
    ];
    let yes = |so: bool| Cell::text(if so { "yes" } else { "no" });
    let row = |level: &CalibrationLevel, quantity: &Of| {
        let errors = (quantity.of)(&level.errors)?;
        let load = &level.load;
        Some(Row::new(vec![
            Cell::text(if load.transport == crate::record::TransportKind::Kernel { "kernel" } else { "reqwest" }),
            yes(load.http2),
            yes(load.tls),
            yes(load.new_connections),
            Cell::number(f64::from(load.streams)),
            Cell::text(quantity.name),
            Cell::text(quantity.unit),
            Cell::number(errors.n as f64),
            Cell::number(errors.p50),
            Cell::number(errors.p95),
            Cell::number(errors.p99),
            Cell::number(errors.max),
        ]))
    };
    // What is counted stands in the same list: a number of so many.
    let counted = |level: &CalibrationLevel, name: &str, part: u64, of: u64| {
        let load = &level.load;
        let none = || Cell::Missing(String::new());
        Row::new(vec![
            Cell::text(if load.transport == crate::record::TransportKind::Kernel { "kernel" } else { "reqwest" }),
            yes(load.http2),
            yes(load.tls),
            yes(load.new_connections),
            Cell::number(f64::from(load.streams)),
            Cell::text(name),
            Cell::text("share"),
            Cell::number(of as f64),
            if of == 0 { none() } else { Cell::number(part as f64 / of as f64) },
            none(),
            none(),
            none(),
        ])
    };
    let mut rows = Vec::new();
    for level in &reading.calibration.levels {
        rows.extend(QUANTITIES.iter().filter_map(|quantity| row(level, quantity)));
        let (outcomes, claims) = (&level.errors.outcomes, &level.errors.claims);
        rows.push(counted(level, "outcome_wrong", outcomes.wrong, outcomes.right + outcomes.wrong));
        rows.push(counted(level, "claim_wrong", claims.wrong, claims.checked));
        rows.push(counted(level, "exact", claims.exact, claims.checked));
    }
    Table { columns, rows, ..Table::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{
        CALIBRATION_SCHEMA, CalibrationCost, CalibrationLoad, Claims, Machine, OutcomeErrors, Scheduling, Tool, TransportKind,
    };
    use unicode_width::UnicodeWidthStr;

    fn calibration() -> Calibration {
        let few = |n, p50| Some(Errors { n, p50, p95: 2.0 * p50, p99: 30.0 * p50, max: 4321.0 * p50 });
        let level = |streams: u32, transport, tls, claims| CalibrationLevel {
            load: CalibrationLoad { streams, transport, http2: false, tls, new_connections: transport == TransportKind::Kernel },
            cost: CalibrationCost { seconds: 3.2, cpu_share: Some(0.971), cpu_us_a_text: Some(9.3) },
            errors: CalibrationErrors {
                requests: 2 * u64::from(streams),
                compared: 2 * u64::from(streams),
                ttft_us: few(2 * u64::from(streams), 4.4),
                gap_exact_us: (transport == TransportKind::Kernel).then(|| few(126_000, 0.1)).flatten(),
                gap_us: few(128_000, 0.12),
                speed: few(2000, 0.000_123),
                tokens: few(2000, 0.0),
                outcomes: OutcomeErrors { right: 2255, wrong: 1, wrong_as: [("ok, was broken".to_owned(), 1)].into() },
                claims,
                lag_us: few(134_000, 30.0),
                gaps_untold: 17,
                ..CalibrationErrors::default()
            },
        };
        let (kernel, reqwest) = (TransportKind::Kernel, TransportKind::Reqwest);
        let wrong = Claims { checked: 128_000, exact: 126_000, wrong: 7, late: 7 };
        let scheduling = Scheduling { policy: Some("rr".into()), priority: Some(20), processors: Some("0-1".into()) };
        Calibration {
            schema: CALIBRATION_SCHEMA,
            tool: Tool { name: "photofinish".into(), version: "0.1.0".into() },
            created: "2026-11-24T10:15:00Z".parse().unwrap(),
            machine: Machine { cpu: Some("AMD EPYC".into()), os: "linux 6.18".into(), arch: "x86_64".into(), ..Machine::default() },
            client: scheduling.clone(),
            simulator: scheduling,
            load_average: Some(0.4),
            behaviour: "builtin:calibration".into(),
            levels: vec![level(1, kernel, false, Claims::default()), level(1000, kernel, true, wrong), level(1000, reqwest, false, wrong)],
        }
    }

    fn written(format: Format, lang: Lang, width: usize) -> String {
        let calibration = calibration();
        let reading = CalibrationReading { calibration: &calibration, file: "results/calibrations/20261124T101500Z.json", lang };
        anstream::adapter::strip_str(&calibration_tables(&reading).write(format, width)).to_string()
    }

    #[test]
    fn eighty_columns_hold_it_in_both_languages() {
        for lang in Lang::ALL {
            let text = written(Format::Terminal, lang, 80);
            let widest = text.lines().max_by_key(|line| line.width()).unwrap();
            assert!(widest.width() <= 80, "{widest}");
            assert!(text.lines().any(|line| line.starts_with("kernel TLS") && line.contains("2255/2256")), "a row a line:\n{text}");
        }
    }

    #[test]
    fn a_program_reads_the_record_and_a_spreadsheet_a_line_a_quantity() {
        let json = written(Format::Json, Lang::Zh, 80);
        assert_eq!(serde_json::from_str::<Calibration>(&json).unwrap(), calibration());
        let csv = written(Format::Csv, Lang::Zh, 80);
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[0].starts_with("transport,http2,tls,new_connections,streams,quantity,unit,n,p50"), "{}", lines[0]);
        assert!(lines.iter().any(|line| line.starts_with("kernel,no,yes,yes,1000,speed,share,2000,0.000123")), "{csv}");
        assert!(lines.iter().any(|line| line.starts_with("reqwest,no,no,no,1000,outcome_wrong,share,2256,")), "{csv}");
    }

    #[test]
    fn doubts_are_told() {
        let text = written(Format::Markdown, Lang::En, 80);
        for words in
            ["7 of 128000 claims exclude the truth", "1 × judged ok, was broken", "97.1 % of a processor", "thousands of times larger"]
        {
            assert!(text.contains(words), "{words}:\n{text}");
        }
    }
}
