//! Load runs as they look: in windows of 80 and 120 columns, in English and Chinese, whole and degenerate, as Markdown, CSV and JSON.

mod hand;
mod loaded;

use loaded::{Server, ramp, with_pair, with_slo};
use photofinish::report::{Format, Lang};

const BOX: Server = Server { alone: 1.1, most: 43.5 };
const CLOUD: Server = Server { alone: 2.0, most: 500.0 };
const USERS: [u32; 5] = [1, 50, 100, 200, 300];

#[test]
fn look() {
    let mut two = ramp(&[("my box/qwen3-8b", BOX), ("云端/deepseek-v4", CLOUD)], &USERS, 3);
    with_slo(&mut two, "ttft_p95<1s,tpot_p95<50ms");
    with_pair(&mut two);
    for (width, lang) in [(80, Lang::En), (80, Lang::Zh), (120, Lang::En)] {
        println!("{}", two.written(Format::Terminal, width, lang));
    }
    println!("{}", two.seed(Format::Terminal, 80, Lang::Zh));
    println!("{}", two.seed(Format::Terminal, 80, Lang::En));
}
