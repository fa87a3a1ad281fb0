//! The host as a process: started on a configuration, stopped, killed, started again on its store.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::timeout;

use super::client::Client;
use super::command::{Ended, child, tollgate};
use super::config::Config;
use super::door::Door;
use super::log::Log;
use super::patience::LONG;

/// A host and everything that is its own: configuration, store, secrets.
pub struct Host {
    folder: TempDir,
    door: Door,
    key: String,
    process: Option<Process>,
    level: &'static str,
    environment: Vec<(String, String)>,
}

struct Process {
    child: Child,
    log: Log,
    printed: Log,
    address: SocketAddr,
}

impl Host {
    /// Writes the configuration, adds an app, and starts.
    pub async fn start(config: &Config) -> Host {
        let mut host = Host::prepare(config).await;
        host.run().await;
        host
    }

    /// Writes the configuration and adds an app, and starts nothing yet.
    pub async fn prepare(config: &Config) -> Host {
        let folder = tempfile::tempdir().unwrap();
        let door = Door::open().await;
        config.write(folder.path(), &door.url());
        let added = tollgate(&["app", "add", "shop"], folder.path()).await;
        let key = added.answered().to_owned();
        Host { folder, door, key, process: None, level: "info", environment: Vec::new() }
    }

    /// From the next start on, logs at this level.
    pub fn log_at(&mut self, level: &'static str) {
        self.level = level;
    }

    /// From the next start on, has this in its environment.
    pub fn knows(&mut self, variable: &str, value: &str) {
        self.environment.push((variable.to_owned(), value.to_owned()));
    }

    /// Starts the process and waits until it takes payments.
    pub async fn run(&mut self) {
        self.try_run().await.unwrap_or_else(|log| panic!("the host did not start:\n{log}"));
    }

    /// The same, when it may refuse to start; what it logged if it does.
    pub async fn try_run(&mut self) -> Result<(), String> {
        let mut command = child(&["--log", self.level, "serve"], self.folder.path());
        let variables = self.environment.iter().map(|(name, value)| (name, value));
        command.envs(variables).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let printed = Log::of(child.stdout.take().unwrap());
        let log = Log::of(child.stderr.take().unwrap());
        let line = log.line(0, |line| line["message"] == "taking payments").await;
        let line = line.ok_or_else(|| log.tail())?;
        let address = line["address"].as_str().unwrap().parse().unwrap();
        self.door.lead_to(address);
        self.process = Some(Process { child, log, printed, address });
        Ok(())
    }

    /// Starts a process that nobody waits for. It ends with its owner, and leads nowhere.
    pub fn launch(&self) -> Child {
        assert!(self.process.is_none(), "the store belongs to the running host");
        let mut command = child(&["serve"], self.folder.path());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.running().child.id().expect("the host runs")
    }

    /// Waits until the process ends by itself; whether it did so in this time. It is gone either
    /// way.
    pub async fn ends_within(&mut self, time: Duration) -> bool {
        let mut process = self.process.take().expect("the host runs");
        let ended = timeout(time, process.child.wait()).await.is_ok();
        process.child.kill().await.unwrap();
        ended
    }

    /// An app's client of this process.
    pub fn client(&self) -> Client {
        Client::new(self.running().address, &self.key)
    }

    /// Where providers reach this host, whichever process it is.
    pub fn url(&self) -> String {
        self.door.url()
    }

    /// Where its configuration stands, its secrets and its store.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The app's API key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running().address
    }

    /// How many lines this process has logged.
    pub fn logged(&self) -> usize {
        self.running().log.length()
    }

    /// Everything this process has logged.
    pub fn log_text(&self) -> String {
        self.running().log.from(0).join("\n")
    }

    /// Everything this process has printed beside its log.
    pub fn printed(&self) -> String {
        self.running().printed.from(0).join("\n")
    }

    /// How many entries were being sent when the process before this one ended.
    pub fn recovered(&self) -> u64 {
        let lines = self.running().log.from(0).into_iter();
        let values = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        values.filter_map(|line| line["recovered"].as_u64()).sum()
    }

    /// The first line after the first `from` lines that says all of these words.
    pub async fn log_line(&self, from: usize, words: &[&str]) -> Value {
        let log = &self.running().log;
        let says = |line: &Value| {
            let text = line.to_string();
            words.iter().all(|word| text.contains(word))
        };
        let found = log.line(from, says).await;
        found.unwrap_or_else(|| panic!("{words:?} was not logged:\n{}", log.tail()))
    }

    /// Ends the process at once, as a power cut would.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().expect("the host runs");
        process.child.kill().await.unwrap();
    }

    /// Asks the process to stop and waits until it has.
    pub async fn stop(&mut self) {
        let mut process = self.process.take().expect("the host runs");
        let id = process.child.id().expect("the host runs").to_string();
        let asked = std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(asked.success());
        let ended = timeout(LONG, process.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("it does not stop:\n{}", process.log.tail()));
        assert!(ended.unwrap().success(), "{}", process.log.tail());
    }

    /// Asks the process to stop, and does not wait.
    pub fn terminate(&self) {
        let id = self.id().to_string();
        let asked = std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(asked.success());
    }

    /// Waits until the process has ended by itself; with which code, and its log.
    pub async fn ended(&mut self) -> (Option<i32>, String) {
        let mut process = self.process.take().expect("the host runs");
        let ended = timeout(LONG, process.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("it does not end:\n{}", process.log.tail()));
        (ended.unwrap().code(), process.log.from(0).join("\n"))
    }

    /// The most memory that this process has had resident so far, in bytes: `VmHWM` of proc(5).
    pub fn memory_peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }

    /// A command over this host's configuration, while it does not run.
    pub async fn command(&self, arguments: &[&str]) -> Ended {
        assert!(self.process.is_none(), "the store belongs to the running host");
        tollgate(arguments, self.folder.path()).await
    }

    /// A command that may be given while the host runs.
    pub async fn command_beside(&self, arguments: &[&str]) -> Ended {
        tollgate(arguments, self.folder.path()).await
    }

    /// Replaces the configuration, for the next start.
    pub fn configure(&self, config: &Config) {
        config.write(self.folder.path(), &self.door.url());
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("the host runs")
    }
}
