//! Words in the quotes of whoever reads them. Control characters are refused before (`Entry::check`).

use super::DeployError;

/// A word for a POSIX shell; bare where that is safe. No backslash is added, since cron has uses of its own for it.
pub(super) fn shell(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_./:=@+,-".contains(c);
    match !word.is_empty() && word.chars().all(safe) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\"'\"'")),
    }
}

/// A shell's text for a crontab, where `%` is a line break.
pub(super) fn crontab(text: &str) -> String {
    text.replace('%', "\\%")
}

/// A word of a systemd unit, without specifiers and variables (`ExecStart=`).
pub(super) fn argument(word: &str) -> String {
    path(word).replace('$', "$$")
}

/// A path among words of a systemd unit, without specifiers (`ReadWritePaths=`, and the program of `ExecStart=`).
pub(super) fn path(word: &str) -> String {
    let escaped = word.replace('%', "%%");
    let safe = |c: char| c.is_alphanumeric() || "_./:=@+,-%$".contains(c);
    match !word.is_empty() && word.chars().all(safe) {
        true => escaped,
        false => format!("\"{}\"", escaped.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// A path that is the rest of a line of a systemd unit, and may be a pattern (`EnvironmentFile=`).
pub(super) fn rest_of_line(path: &str) -> Result<String, DeployError> {
    let fault = |why| Err(DeployError::Path { path: path.to_owned(), why, remedy: "rename it, or name another file by --env-file" });
    if path.contains('\\') {
        return fault("systemd reads a backslash in this place as its own");
    }
    if path.trim() != path {
        return fault("systemd drops the space at its end");
    }
    let mut escaped = String::new();
    for c in path.chars() {
        match c {
            '%' => escaped.push_str("%%"),
            '*' | '?' | '[' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    Ok(escaped)
}

/// A program's path for `ExecStart=`; systemd takes no quotes in it.
pub(super) fn program(word: &str) -> Result<String, DeployError> {
    match word.contains(['"', '\'', '\\']) {
        true => Err(DeployError::Path {
            path: word.to_owned(),
            why: "systemd starts no program with a quote or a backslash in its path",
            remedy: "install it elsewhere, such as /usr/local/bin",
        }),
        false => Ok(path(word)),
    }
}

/// A scalar of YAML, in double quotes.
pub(super) fn yaml(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if !is_plain(c) => quoted.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A text of several lines as a value of YAML, indented by `indent`: as it stands where that is exact, else in quotes.
pub(super) fn yaml_block(text: &str, indent: usize) -> String {
    let exact = text.ends_with('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\t', '\n'])
        && text.chars().all(|c| c == '\n' || (is_plain(c) && c != '\u{feff}'));
    if !exact {
        return yaml(text);
    }
    let margin = " ".repeat(indent);
    // A line without text stays without margin, as an editor would leave it.
    let lines = text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("\n{margin}{line}") });
    format!("|{}", lines.collect::<String>())
}

/// Whether YAML 1.1 and 1.2 both take a character as it is, and as no break of a line.
fn is_plain(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: [&str; 9] = ["plain", "with space", "it's", "50 % of \"it\"", "$HOME/`x`", "比赛 计划", "a\\b", "*?[x]", "~;&|<>(){}!# -x"];

    #[test]
    fn a_shell_reads_every_word_as_it_was() {
        for word in ODD {
            let read = std::process::Command::new("sh").arg("-c").arg(format!("printf '%s' {}", shell(word))).output().unwrap();
            assert_eq!(String::from_utf8(read.stdout).unwrap(), word);
        }
        assert_eq!(shell("/usr/local/bin/photofinish"), "/usr/local/bin/photofinish");
        assert_eq!(shell(""), "''");
    }

    #[test]
    fn yaml_reads_every_text_as_it_was() {
        let texts = [
            "a: b\n\n  c: d # x\n",
            "no end",
            "two ends\n\n",
            "  first\n",
            "tab\there\n",
            "cr\r\n",
            "\u{feff}bom\n",
            "a\u{2028}b\u{85}\u{7f}\u{1}\n",
        ];
        for text in ODD.into_iter().chain(texts).chain(["", "\n", "名: 值\n", "---\n- a\n...\n", "a\n \n\tb\n", "trailing  \n"]) {
            let document = format!("top:\n  one: {}\n  two: {}\n", yaml(text), yaml_block(text, 4));
            let read: serde_json::Value = serde_yaml::from_str(&document).unwrap_or_else(|error| panic!("{error}:\n{document}"));
            assert_eq!((read["top"]["one"].as_str(), read["top"]["two"].as_str()), (Some(text), Some(text)), "{document}");
        }
    }

    #[test]
    fn what_systemd_cannot_hold_is_refused_with_the_remedy() {
        assert!(program("/opt/it's/photofinish").unwrap_err().to_string().contains("install it elsewhere"));
        assert!(rest_of_line("/etc/a\\b").is_err() && rest_of_line("/etc/keys ").is_err());
        assert_eq!(rest_of_line("/etc/50% [x].env").unwrap(), "/etc/50%% \\[x].env");
        assert_eq!(argument("/a b/$c/100%"), "\"/a b/$$c/100%%\"");
    }
}
