//! `photofinish providers` as a user meets it: offline, keys never shown, faults with file, line, key and remedy.

use assert_cmd::Command;
use std::path::Path;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }
    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    /// Exit code, stdout and stderr of a call in this home, with no key in the environment but those given.
    fn call(&self, args: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_photofinish"));
        command.env_clear().env("HOME", self.0.path()).env("XDG_CONFIG_HOME", self.0.path().join("config"));
        let output = command.args(args).envs(env.iter().copied()).current_dir(self.0.path()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

const MINE: &str = "provider: {id: mine, title: Mine}
endpoint:
  base_url: https://api.mine.example/v1
key:
  env: [MINE_API_KEY]
facts:
  - {of: [endpoint, key], evidence: inferred, source: a test, date: 2026-11}
";

#[test]
fn the_list_tells_whether_a_key_is_set_and_never_the_key() {
    let secret = "sk-never-to-be-seen-1234";
    for format in ["terminal", "markdown", "csv", "json"] {
        let (code, out, err) = Home::new().call(&["providers", "--format", format], &[("DEEPSEEK_API_KEY", secret)]);
        assert_eq!((code, err.as_str()), (0, ""));
        // Markdown escapes what could be markup.
        let unescaped = out.replace('\\', "");
        assert!(unescaped.contains("api.deepseek.com") && unescaped.contains("DEEPSEEK_API_KEY"), "{format}: {out}");
        assert!(!out.contains("never-to-be-seen"), "{format}");
    }
    let (_, out, _) = Home::new().call(&["providers", "deepseek"], &[("DEEPSEEK_API_KEY", secret)]);
    assert!(out.contains("DEEPSEEK_API_KEY (set)"), "{out}");
    let (_, out, _) = Home::new().call(&["providers", "deepseek"], &[]);
    assert!(out.contains("DEEPSEEK_API_KEY (not set)") && out.contains("api-docs.deepseek.com"), "{out}");
}

#[test]
fn files_stand_before_the_built_in_ones_and_faults_end_the_check() {
    let home = Home::new();
    home.write("folder/mine.yaml", MINE);
    home.write("config/photofinish/providers/own.yaml", &MINE.replace("mine", "own"));
    let (code, out, _) = home.call(&["providers", "--check", "--providers", "folder"], &[]);
    assert_eq!((code, out.trim()), (0, "31 provider files are sound."));

    home.write("folder/mine.yaml", &MINE.replace("  base_url", "  base_ulr"));
    let (code, out, err) = home.call(&["providers", "--check", "--providers", "folder"], &[]);
    assert_eq!((code, out.as_str()), (2, ""));
    let place = Path::new("folder/mine.yaml").display();
    assert!(err.contains(&format!("{place}:3: endpoint.base_ulr: unknown key; did you mean `base_url`?")), "{err}");
    assert!(err.contains("3 |   base_ulr: https://api.mine.example/v1"), "{err}");
}

#[test]
fn what_is_not_there_is_told_with_a_remedy() {
    let home = Home::new();
    let (code, _, err) = home.call(&["providers", "deepsek"], &[]);
    assert!(code == 2 && err.contains("did you mean `deepseek`?"), "{err}");
    let (code, _, err) = home.call(&["providers", "--providers", "nowhere"], &[]);
    assert!(code == 2 && err.contains("nowhere"), "{err}");
    home.write("config/photofinish/config.yaml", "keys:\n  deepseek: {comand: pass show ds}\n");
    let (code, _, err) = home.call(&["providers"], &[]);
    assert!(code == 2 && err.contains("config.yaml:2: keys.deepseek.comand: unknown key; did you mean `command`?"), "{err}");
}
