//! The layout of the tables that started this: users, RPS, mean latency, P99 latency, mean TPS, TTFT, success rate. What such tables leave
//! out stands in the caption.

use super::LoadReading;
use super::caption::{extent, made_by, marks, offered, plural, provenance, ranges, warnings, without_range};
use super::grids::{Extra, figure_cell, measure_column, rows, stage_column};
use super::list::{before, named};
use crate::analysis::load::{Measure, StageFigures};
use crate::report::words::calibration::calibrated;
use crate::report::{Cell, Column, Lang, Row, Table};
use serde_json::{Value, json};

/// Its figures, in its order; the success rate is the last column.
const MEASURES: [Measure; 5] = [Measure::Rps, Measure::LatencyMean, Measure::LatencyP99, Measure::OverallSpeed, Measure::TtftMean];

/// The table, without its caption.
pub(super) fn seed(reading: &LoadReading<'_>) -> Table {
    let mut columns = vec![stage_column(reading)];
    columns.extend(columns_of(reading, reading.lang));
    let cells = |stage: &StageFigures| cells_of(stage, reading.lang);
    Table { lang: reading.lang, columns, rows: rows(reading, cells), ..Table::default() }
}

/// The same for a window that does not hold seven columns with their intervals: to stand beside each other is the point of this layout.
pub(super) fn narrow(reading: &LoadReading<'_>, table: &Table) -> (Table, Table) {
    let mut bare = table.clone();
    for cell in bare.rows.iter_mut().flat_map(|row| &mut row.cells) {
        if let Cell::Count { interval, .. } | Cell::Number { interval, .. } | Cell::Never { interval } = cell {
            *interval = None;
        }
    }
    let elsewhere = reading.lang.say(
        "The intervals stand in a wider window (--width 120), in Markdown and in files.",
        "区间见更宽的窗口（--width 120）、Markdown 与文件。",
    );
    let mut legend = marks(reading);
    legend.push(elsewhere.into());
    (bare, Table { legend, ..foot(reading, table) })
}

fn columns_of(reading: &LoadReading<'_>, lang: Lang) -> Vec<Column> {
    let title = |measure: Measure| match measure {
        Measure::LatencyMean => lang.say("mean latency", "平均延迟"),
        Measure::LatencyP99 => lang.say("P99 latency", "P99延迟"),
        Measure::OverallSpeed => lang.say("mean TPS", "平均TPS"),
        Measure::TtftMean => lang.say("TTFT", "首字延迟"),
        _ => "RPS",
    };
    let column = |measure: Measure| Column { title: title(measure).into(), ..measure_column(measure, lang, reading.speed()) };
    let mut columns: Vec<Column> = MEASURES.into_iter().map(column).collect();
    columns.push(Column { title: lang.say("success rate", "成功率").into(), ..Extra::Success.column(lang) });
    columns
}

fn cells_of(stage: &StageFigures, lang: Lang) -> Vec<Cell> {
    let mut cells: Vec<Cell> = MEASURES.into_iter().map(|measure| figure_cell(stage.figure(measure), lang)).collect();
    cells.push(Extra::Success.cell(stage, lang));
    cells
}

/// Its caption says what is different from the tables that it looks like.
pub(super) fn foot(reading: &LoadReading<'_>, table: &Table) -> Table {
    let lang = reading.lang;
    let passes = reading.table.design.passes as usize * reading.table.runs.len();
    let mut caption = vec![
        match lang {
            Lang::En => format!(
                "Not as such tables usually are: each row is over the passes in which its stage was measured, of {}, with an interval over them from three on; P99 is over all requests sent, a failure never \
                 arriving; mean latency and TTFT are over good replies; TPS is the median over good replies of all tokens over the reply time, \
                 not a mean of rates; RPS counts good replies within the window of full load alone.",
                plural(passes, "pass", "passes")
            ),
            Lang::Zh => format!(
                "与常见的此类表格不同：共 {passes} 遍，每行取自该档实际测到的各遍，满三遍才给区间；P99 取自全部已发请求，失败视为永远未达到；平均延迟与首字延迟取自成功的回复；\
                 TPS 是成功回复“全部 token ÷ 回复用时”的中位数，不是速率的平均；RPS 只计满负载窗口内的成功回复。"
            ),
        },
        extent(reading),
        offered(reading),
    ];
    caption.extend(provenance(reading));
    caption.extend(calibrated(reading.manifest, lang));
    caption.push(made_by(reading));
    let mut legend = marks(reading);
    legend.extend(ranges(table.rows.iter(), reading));
    legend.extend(without_range(reading));
    Table { lang, legend, warnings: warnings(reading), caption, ..Table::default() }
}

/// The list for spreadsheets.
pub(super) fn list(reading: &LoadReading<'_>) -> Table {
    let names = reading.names();
    let mut columns = before();
    columns.extend(columns_of(reading, Lang::En));
    let row = |stage: &StageFigures| {
        let mut cells = named(stage, &names);
        cells.extend(cells_of(stage, reading.lang));
        Row::new(cells)
    };
    let rows = reading.table.stages.iter().map(row).collect();
    Table { columns, rows, constants: reading.constants(), ..Table::default() }
}

/// The document for programs: the table, and its caption.
pub(super) fn full(reading: &LoadReading<'_>, foot: &Table) -> Value {
    let list = Table { title: reading.title(), caption: foot.caption.clone(), warnings: foot.warnings.clone(), ..list(reading) };
    let mut whole = crate::report::json::table(&list);
    whole["layout"] = json!("seed");
    whole["legend"] = json!(foot.legend);
    whole
}
