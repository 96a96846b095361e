//! Words for what is known of one reply: outcomes, flags, and why a metric has no value. The English forms stand with the definitions.

use super::Worded;
use crate::metric::{Better, Flag, Outcome, Undefined};
use crate::report::Lang;
use crate::tokens::NoCounts;

impl Worded for Outcome {
    fn words(&self, lang: Lang) -> String {
        let zh = match self {
            Outcome::Ok => "完整且有回答的回复，或在计划允许时被 token 上限截断的回复",
            Outcome::LengthCapped => "被 token 上限截断，而计划要求完整的回答",
            Outcome::Empty => "正常结束，但没有回答",
            Outcome::Broken => "数据流没有正常结束，或不是可读的回复；重定向也算在内",
            Outcome::Timeout => "没有按时给出首个 token，或没有按时完成",
            Outcome::Stalled => "文本中途停止到达；保活消息不算文本",
            Outcome::RateLimited => "超出配额（429）：计为失败，并单独列出",
            Outcome::ServerError => "服务端出错或主动降载：5xx，或流内报错",
            Outcome::ClientError => "请求被判为有误而遭拒绝（4xx）",
            Outcome::ConnectError => "未能建立连接",
            Outcome::Refused => "被内容过滤拒绝或中止",
            Outcome::Cancelled => "由本客户端中止：不作为样本",
        };
        lang.say(self.meaning(), zh).to_owned()
    }
}

impl Worded for Flag {
    fn words(&self, lang: Lang) -> String {
        let zh = match self {
            Flag::TooShort => "token 太少，不足以计算速度：不计入速度",
            Flag::Bundled => "整个回复不足四次写出，或一次写出就超过一半：不计解码速度和分阶段速度",
            Flag::Hidden => "思考已计费但没有输出：首字时延包含思考时间",
            Flag::ThinkingUnknown => "会思考的模型既没有输出也没有上报思考：首字时延可能包含思考时间",
            Flag::LengthCapped => "被 token 上限截断",
            Flag::Interleaved => "回答开始之后又出现推理内容",
            Flag::NoAnswer => "一个回答 token 也没有",
            Flag::Broken => "数据流没有正常结束",
            Flag::Estimated => "服务商没有给出推理所占的份额：按字符数划分各阶段",
            Flag::UsageZeroReasoning => "流中有推理内容，却上报 reasoning_tokens: 0：这一份额不予采信",
            Flag::UsageExcludesReasoning => "上报的总数没有包含推理部分",
            Flag::UsageImpossible => "上报的数量与流式文本不可能相符",
            Flag::Cached => "服务商从缓存读取了部分提示词",
            Flag::Cold => "该请求新建了连接；建连时间单独记录",
            Flag::Relabelled => "只见结束标签而不见开始标签，此前的文本改计为推理",
            Flag::Unclosed => "收到回复的结束标记之后，连接中断或挂起",
            Flag::UnknownFinish => "本版本不认识的结束原因",
            Flag::Unreadable => "有些数据帧无法解析",
            Flag::ClockStepped => "期间系统时钟被调整：时间标记退回到用户态时间",
        };
        lang.say(self.meaning(), zh).to_owned()
    }
}

impl Worded for Undefined {
    fn words(&self, lang: Lang) -> String {
        let zh = match self {
            Undefined::NoArrival => "没有收到任何文本",
            Undefined::NoContent => "没有收到回答",
            Undefined::NoReasoning => "没有收到推理内容",
            Undefined::TooFewArrivals => "到达不足两次",
            Undefined::TooFewTokens => "首次到达之后再没有 token",
            Undefined::NoTime => "各次到达之间没有时间差",
            Undefined::OneRead => "各次到达在时间上无法区分",
            Undefined::Bundled => "回复是成批到达的",
            Undefined::NoCounts(why) => return why.words(lang),
            Undefined::NoUsage => "服务商没有上报用量",
            Undefined::Shorter => "回复太短",
            Undefined::Reused => "沿用了已有的连接",
            Undefined::NoResponse => "没有收到响应",
            Undefined::NoStart => "客户端不提供请求写出的时刻",
        };
        match lang {
            Lang::En => self.to_string(),
            Lang::Zh => zh.to_owned(),
        }
    }
}

impl Worded for NoCounts {
    fn words(&self, lang: Lang) -> String {
        let zh = match self {
            NoCounts::NoText => "该次运行没有保存文本，保存的计数又出自另一个分词器",
            NoCounts::NoUsage => "服务商没有上报用量",
            NoCounts::NotBelieved => "上报的用量不可信",
            NoCounts::ThinkingUnknown => "上报的总数可能包含没有输出的思考",
        };
        match lang {
            Lang::En => self.to_string(),
            Lang::Zh => zh.to_owned(),
        }
    }
}

impl Worded for Better {
    fn words(&self, lang: Lang) -> String {
        let zh = match self {
            Better::Lower => "越低越好",
            Better::Higher => "越高越好",
            Better::Neither => "仅作描述",
        };
        lang.say(Better::words(*self), zh).to_owned()
    }
}
