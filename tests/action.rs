//! The action's shell steps, run with a fake GitHub environment.
//!
//! Not for the upload, which is GitHub's own action. Invariant: no network is used; a release comes
//! from a directory by a `file:` address.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

struct Runner {
    dir: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

struct Step {
    code: i32,
    stdout: String,
    outputs: BTreeMap<String, String>,
}

impl Runner {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let env = BTreeMap::from([
            ("GITHUB_OUTPUT".to_owned(), path("output")),
            ("GITHUB_STEP_SUMMARY".to_owned(), path("step-summary")),
            ("RUNNER_TEMP".to_owned(), path("temp")),
            ("OVERGRANT_ACTION_PATH".to_owned(), REPOSITORY.to_owned()),
            (
                "OVERGRANT_BIN".to_owned(),
                env!("CARGO_BIN_EXE_overgrant").to_owned(),
            ),
            ("OVERGRANT_WORKING_DIRECTORY".to_owned(), path("work")),
        ]);
        std::fs::create_dir_all(dir.path().join("work")).unwrap();
        std::fs::create_dir_all(dir.path().join("temp")).unwrap();
        Self { dir, env }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn run(&self, script: &str) -> Step {
        let output_file = self.dir.path().join("output");
        std::fs::write(&output_file, "").unwrap();
        let output = Command::new("bash")
            .arg(Path::new(REPOSITORY).join("action").join(script))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(&self.env)
            .current_dir(self.dir.path())
            .output()
            .unwrap();
        let outputs = std::fs::read_to_string(output_file).unwrap();
        Step {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap()
                + &String::from_utf8_lossy(&output.stderr),
            outputs: outputs
                .lines()
                .filter_map(|line| line.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }
}

const ADMIN: &str = r#"
resource "aws_iam_role" "ci" {
  name = "ci"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "ci" {
  role = aws_iam_role.ci.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
  })
}
"#;

#[test]
fn check_reports_everything_and_leaves_the_verdict_to_the_end() {
    let runner = Runner::new();
    runner.file("work/main.tf", ADMIN);
    let step = runner.run("check.sh");
    assert_eq!(step.code, 0, "{}", step.stdout);
    assert_eq!(step.outputs["exit-code"], "1");
    assert_eq!(step.outputs["highest-severity"], "critical");
    assert_ne!(step.outputs["findings"], "0");
    assert!(
        step.stdout.contains("::error file=main.tf,line=14"),
        "{}",
        step.stdout
    );
    let sarif = std::fs::read_to_string(&step.outputs["sarif-file"]).unwrap();
    assert!(sarif.contains("admin-star-star"));
    let json = std::fs::read_to_string(&step.outputs["json-file"]).unwrap();
    assert!(json.contains("\"schema\""));
    let summary = std::fs::read_to_string(runner.dir.path().join("step-summary")).unwrap();
    assert!(summary.contains("admin-star-star"));
}

#[test]
fn check_passes_inputs_as_arguments_never_as_code() {
    let runner = Runner::new()
        .set("OVERGRANT_PATHS", "sub dir\n$(touch injected)\n")
        .set("OVERGRANT_ARGS", "--exit-zero\n")
        .set("OVERGRANT_FAIL_ON", "high");
    runner.file("work/sub dir/main.tf", ADMIN);
    let step = runner.run("check.sh");
    // The second path does not exist: a usage error, and nothing was executed.
    assert_eq!(step.outputs["exit-code"], "2", "{}", step.stdout);
    assert!(!runner.dir.path().join("work/injected").exists());
    let runner = runner.set("OVERGRANT_PATHS", "sub dir");
    assert_eq!(runner.run("check.sh").outputs["exit-code"], "0");
}

#[test]
fn verdict_is_the_exit_code() {
    for (code, ends) in [("0", 0), ("1", 1), ("2", 2), ("3", 0)] {
        let step = Runner::new()
            .set("OVERGRANT_EXIT_CODE", code)
            .run("verdict.sh");
        assert_eq!(step.code, ends, "{code}");
    }
    let step = Runner::new()
        .set("OVERGRANT_EXIT_CODE", "0")
        .set("OVERGRANT_UPLOAD_OUTCOME", "failure")
        .run("verdict.sh");
    assert!(step.stdout.contains("::notice"), "{}", step.stdout);
}

#[test]
fn get_refuses_what_it_does_not_know() {
    let step = Runner::new()
        .set("OVERGRANT_VERSION", "latest; rm -rf /")
        .run("get.sh");
    assert_eq!(step.code, 2);
    assert!(
        step.stdout.contains("version must look like"),
        "{}",
        step.stdout
    );
    let step = Runner::new()
        .set("OVERGRANT_VERSION", "v99.0.0")
        .run("get.sh");
    assert_eq!(step.code, 2);
    assert!(
        step.stdout.contains("no checksum is known"),
        "{}",
        step.stdout
    );
}

/// A release is an archive whose checksum the action knows; another archive is refused.
#[cfg(target_os = "linux")]
#[test]
fn get_takes_a_released_archive_with_the_right_checksum() {
    let runner = Runner::new();
    let release = runner.dir.path().join("release/v1.2.3");
    std::fs::create_dir_all(&release).unwrap();
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let archive = format!("overgrant-v1.2.3-{target}.tar.gz");
    runner.file("overgrant", "#!/bin/sh\necho fake overgrant 1.2.3\n");
    let script = format!(
        "chmod +x overgrant && tar -czf release/v1.2.3/{archive} overgrant && sha256sum release/v1.2.3/{archive} | cut -d' ' -f1"
    );
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(runner.dir.path())
        .output()
        .unwrap();
    let sum = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert_eq!(sum.len(), 64);
    std::fs::create_dir_all(runner.dir.path().join("action/action")).unwrap();
    let base = format!("file://{}", runner.dir.path().join("release").display());
    let action = runner
        .dir
        .path()
        .join("action")
        .to_str()
        .unwrap()
        .to_owned();
    let runner = runner
        .set("OVERGRANT_ACTION_PATH", &action)
        .set("OVERGRANT_ACTION_REF", "v1.2.3")
        .set("OVERGRANT_DOWNLOAD_BASE", &base);
    runner.file(
        "action/action/checksums.txt",
        &format!("{sum}  {archive}\n"),
    );
    let step = runner.run("get.sh");
    assert_eq!(step.code, 0, "{}", step.stdout);
    assert!(step.outputs["bin"].ends_with("/overgrant-v1.2.3/overgrant"));
    assert!(step.stdout.contains("fake overgrant 1.2.3"));

    runner.file(
        "action/action/checksums.txt",
        &format!("{}  {archive}\n", "0".repeat(64)),
    );
    let step = runner.run("get.sh");
    assert_eq!(step.code, 2);
    assert!(step.stdout.contains("has checksum"), "{}", step.stdout);
}
