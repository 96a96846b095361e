//! Keys from a file that only its owner can read, for those who start the program by cron: `KEY=value` lines, as a shell or systemd's
//! `EnvironmentFile=` reads them. No value of it is ever shown, nor is a line that cannot be read.

use super::{SHORTEST, Secret, mask};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest file that is read, bytes: a handful of keys needs far less.
const LARGEST: u64 = 64 * 1024;

/// Variables of a file, each of them a secret.
#[derive(Debug, Default)]
pub struct EnvFile {
    values: BTreeMap<String, Secret>,
}

/// Why a file of variables is not used. None of these shows a value.
#[derive(Debug, thiserror::Error)]
pub enum EnvFileError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others than its owner can read it.
    #[error("{path}: others than its owner can reach this file (mode {mode:04o}), and it holds keys: chmod 600 {path}", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is another user's.
    #[error(
        "{path}: this file belongs to user {owner}, and the program runs as user {user}: chown {user} {path}, and chmod 600 {path}",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
        /// This process's user.
        user: u32,
    },
    /// It is no plain file, or far too large.
    #[error("{}: no file of variables: it is no plain file, or larger than {} KiB", path.display(), LARGEST / 1024)]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// A line is none of `KEY=value`, comment and blank.
    #[error("{}:{line}: {why}; write NAME=value, NAME='value' or a # comment", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong, without the line's text.
        why: &'static str,
    },
}

impl EnvFile {
    /// Reads a file of mode 0600 (or narrower) that belongs to the user of this process. Every value is known to the process's
    /// mask from then on.
    pub fn open(path: &Path) -> Result<EnvFile, EnvFileError> {
        let fault = |source| EnvFileError::Io { path: path.to_owned(), source };
        // What is looked at is the open file, so that no other can be put in its place in between.
        let file = File::open(path).map_err(fault)?;
        let facts = file.metadata().map_err(fault)?;
        if !facts.is_file() || LARGEST < facts.len() {
            return Err(EnvFileError::NotAFile { path: path.to_owned() });
        }
        owned(path, &facts)?;
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text).map_err(fault)?;
        EnvFile::parse(path, &text)
    }

    /// The variables of a text; `path` is for errors only. Of a name that stands twice the last counts, as in a shell.
    pub fn parse(path: &Path, text: &str) -> Result<EnvFile, EnvFileError> {
        let mut values = BTreeMap::new();
        for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let variable = variable(line).map_err(|why| EnvFileError::Line { path: path.to_owned(), line: at + 1, why })?;
            let Some((name, value)) = variable else { continue };
            if SHORTEST <= value.len() {
                mask().add(&value);
            }
            values.insert(name.to_owned(), Secret::from(value));
        }
        Ok(EnvFile { values })
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.values.get(name)
    }
}

/// Whether a text can name a variable of the environment: letters of ASCII, digits and `_`, no digit in front.
pub fn is_variable_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(unix)]
fn owned(path: &Path, facts: &std::fs::Metadata) -> Result<(), EnvFileError> {
    use std::os::unix::fs::MetadataExt;
    let mode = facts.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(EnvFileError::Open { path: path.to_owned(), mode });
    }
    // Where there is no /proc: a file that only its owner may read and that could be opened is the user's own, or the user is root.
    match std::fs::metadata("/proc/self").map(|process| process.uid()) {
        Ok(user) if user != facts.uid() => Err(EnvFileError::Foreign { path: path.to_owned(), owner: facts.uid(), user }),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn owned(_: &Path, _: &std::fs::Metadata) -> Result<(), EnvFileError> {
    Ok(())
}

/// Name and value of a line; nothing where it is blank or a comment.
fn variable(line: &str) -> Result<Option<(&str, String)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(None);
    }
    let line = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).map_or(line, str::trim_start);
    let (name, value) = line.split_once('=').ok_or("no `=` in this line")?;
    if !is_variable_name(name) {
        return Err("what stands before `=` is no name of a variable");
    }
    Ok(Some((name, unquoted(value.trim_start())?)))
}

/// A value without its quotes; behind it nothing but a comment may stand.
fn unquoted(text: &str) -> Result<String, &'static str> {
    let (value, rest) = match text.chars().next() {
        Some('\'') => text[1..].split_once('\'').map(|(value, rest)| (value.to_owned(), rest)).ok_or("a quote is not closed")?,
        Some('"') => double_quoted(&text[1..])?,
        _ => {
            let end = text.find(" #").or_else(|| text.find("\t#")).unwrap_or(text.len());
            return Ok(text[..end].trim_end().to_owned());
        }
    };
    let rest = rest.trim_start();
    match rest.is_empty() || rest.starts_with('#') {
        true => Ok(value),
        false => Err("something stands behind the closing quote"),
    }
}

fn double_quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\\' | '$' | '`'))) => value.push(c),
                Some((_, c)) => value.extend(['\\', c]),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err("a quote is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::ExposeSecret;

    fn value(text: &str, name: &str) -> Option<String> {
        let file = EnvFile::parse(Path::new("keys.env"), text).unwrap_or_else(|error| panic!("{error}"));
        file.get(name).map(|value| value.expose_secret().to_owned())
    }

    fn fault(text: &str) -> String {
        EnvFile::parse(Path::new("keys.env"), text).unwrap_err().to_string()
    }

    #[test]
    fn lines_are_read_as_a_shell_reads_them() {
        let text = "\u{feff}# mine\r\n\r\n; too\nexport A_KEY=first-key-1\r\nB_KEY = x\n".replace("B_KEY = x\n", "");
        assert_eq!(value(&text, "A_KEY").as_deref(), Some("first-key-1"));
        for line in ["K=a-key-0001", "K='a-key-0001'", "K=\"a-key-0001\" # mine", "  export\tK=a-key-0001 # mine", "K= a-key-0001 "] {
            assert_eq!(value(line, "K").as_deref(), Some("a-key-0001"), "{line}");
        }
        assert_eq!(value("K=\"a\\\"b\\\\c\\$d\\n\"", "K").as_deref(), Some("a\"b\\c$d\\n"));
        assert_eq!(value("K='a\\b\"c$d'", "K").as_deref(), Some("a\\b\"c$d"));
        assert_eq!(value("K=a#b", "K").as_deref(), Some("a#b"));
        assert_eq!(value("K=one-key-01\nK=two-key-02", "K").as_deref(), Some("two-key-02"));
        assert_eq!(value("K=", "K").as_deref(), Some(""));
        assert_eq!(value("K=a", "k"), None);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_by_its_number_and_never_shown() {
        for (line, why) in [
            ("sk-secret-alone", "no `=`"),
            ("my key=sk-secret-x", "no name of a variable"),
            ("K='sk-secret-x", "not closed"),
            ("K=\"sk-secret-x\\", "not closed"),
            ("K=\"sk-secret-x\" y", "behind the closing quote"),
        ] {
            let told = fault(&format!("# one\n{line}\n"));
            assert!(told.starts_with("keys.env:2: ") && told.contains(why) && !told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn what_a_file_holds_is_masked_and_not_printed() {
        let file = EnvFile::parse(Path::new("keys.env"), "K=value-of-the-env-file\n").unwrap();
        assert!(!format!("{file:?}").contains("value-of"));
        assert_eq!(mask().mask("value-of-the-env-file"), "*".repeat(21));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.env");
        std::fs::write(&path, "K=value-in-a-file\n").unwrap();
        let with = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            EnvFile::open(&path).map_err(|error| error.to_string())
        };
        for mode in [0o644, 0o640, 0o620, 0o604, 0o601] {
            let told = with(mode).unwrap_err();
            assert!(told.contains(&format!("chmod 600 {}", path.display())) && told.contains(&format!("{mode:04o}")), "{told}");
        }
        for mode in [0o600, 0o400] {
            assert_eq!(with(mode).unwrap().get("K").map(|value| value.expose_secret().to_owned()).as_deref(), Some("value-in-a-file"));
        }
        assert!(EnvFile::open(folder.path()).unwrap_err().to_string().contains("no plain file"));
        assert!(EnvFile::open(&folder.path().join("none")).unwrap_err().to_string().contains("No such file"));
    }
}
