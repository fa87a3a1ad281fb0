use super::*;

fn read(text: &str) -> Result<Loaded, String> {
    let file = std::env::temp_dir().join(format!("tollgate-config-{:x}.toml", fingerprint(text)));
    std::fs::write(&file, text).unwrap();
    let read = Loaded::read(&file).map_err(|wrong| wrong.to_string());
    std::fs::remove_file(file).unwrap();
    read
}

fn fingerprint(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (text, std::process::id()).hash(&mut hasher);
    hasher.finish()
}

const LEAST: &str = "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1\"\n\
                     [store]\npath = \"data\"\n";

#[test]
fn the_least_configuration_is_a_server_and_a_store() {
    let loaded = read(LEAST).map_err(|wrong| panic!("{wrong}")).unwrap();
    assert_eq!(loaded.config.store.cache_mib, 64);
    assert!(loaded.config.account.is_empty());
}

#[test]
fn a_misspelt_key_is_named_with_its_line_and_what_is_known() {
    for (text, line, words) in [
        (LEAST.replace("listen", "lisen"), 2, &["lisen", "listen"][..]),
        (format!("{LEAST}[acount.x]\n"), 6, &["acount", "account"]),
        (format!("{LEAST}[plugin.x]\ncomponent = \"a\"\ndigest = 5\n"), 8, &["string"]),
        (
            format!("{LEAST}[account.x]\nplugin = \"a\"\nhosts = [\"http://\"]\n"),
            8,
            &["allowed host"],
        ),
        (
            format!(
                "{LEAST}[account.x]\nplugin=\"a\"\nhosts=[]\n[account.x.secret.k]\nenv=\"E\"\n\
                 places=[\"cookie\"]\n"
            ),
            11,
            &["cookie", "header:authorization"],
        ),
    ] {
        let Err(wrong) = read(&text) else { panic!("taken: {text}") };
        assert!(wrong.contains(&format!(".toml:{line}: ")), "{wrong}");
        for word in words {
            assert!(wrong.contains(word), "`{word}` is not in: {wrong}");
        }
    }
}

#[test]
fn an_account_is_live_unless_it_is_said_to_be_a_test() {
    let account = "[account.x]\nplugin = \"a\"\nhosts = []\n";
    let mode = |more: &str| {
        read(&format!("{LEAST}{account}{more}"))
            .map(|loaded| loaded.config.account.get("x").map(|account| account.get_ref().mode))
    };
    assert_eq!(mode(""), Ok(Some(engine::Mode::Live)));
    assert_eq!(mode("mode = \"test\"\n"), Ok(Some(engine::Mode::Test)));
    let wrong = mode("mode = \"demo\"\n").unwrap_err();
    assert!(wrong.contains("demo") && wrong.contains("test"), "{wrong}");
}

#[test]
fn every_limit_of_the_sandbox_and_of_recovery_can_be_written() {
    let limits = [
        "call_ms_max",
        "memory_bytes_max",
        "table_elements_max",
        "host_copied_bytes_max",
        "output_bytes_max",
        "state_bytes_max",
        "log_bytes_max",
        "remembered_bytes_max",
        "handles_max",
        "component_bytes_max",
        "compile_ms_max",
        "core_instances_max",
        "concurrent_calls_max",
        "concurrent_calls_per_plugin_max",
        "computing_calls_per_plugin_max",
    ];
    let thresholds = ["faults", "share_percent", "window_ms", "rest_ms", "rest_ms_max"];
    let written: String =
        limits.iter().enumerate().map(|(n, limit)| format!("{limit} = {}\n", n + 7)).collect();
    let quarantine: String =
        thresholds.iter().enumerate().map(|(n, name)| format!("{name} = {}\n", n + 71)).collect();
    let recovery = "[recovery]\nsync_after_ms = [3]\nabsent_after_ms = 4\nsteps_max = 5\n";
    let sandbox = format!("[sandbox]\n{written}[sandbox.quarantine]\n{quarantine}");
    let loaded = read(&format!("{LEAST}{sandbox}{recovery}")).unwrap_or_else(|wrong| {
        panic!("{wrong}");
    });
    let shown = format!("{:?}", loaded.config.sandbox.limits());
    for (n, limit) in limits.iter().enumerate() {
        assert!(shown.contains(&format!("{limit}: {}", n + 7)), "{limit} is not in {shown}");
    }
    for (n, name) in thresholds.iter().enumerate() {
        assert!(shown.contains(&format!("{name}: {}", n + 71)), "{name} is not in {shown}");
    }
    let options = loaded.config.recovery.options();
    assert_eq!((options.sync_after_ms, options.absent_after_ms), (vec![3], 4));
    assert_eq!((options.steps_max, options.absences_min), (5, 2));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let wrong = Loaded::read(Path::new("/nowhere/tollgate.toml")).map(drop).unwrap_err();
    assert!(wrong.to_string().starts_with("/nowhere/tollgate.toml: cannot be read"), "{wrong}");
}

#[test]
fn a_master_key_comes_from_a_file_the_environment_or_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let key = ::vault::Master::fresh().unwrap();
    std::fs::write(folder.path().join("master"), format!("{}\n", key.as_str())).unwrap();
    let open = |text: &str| toml::from_str::<Vault>(text).unwrap().open(folder.path());
    let from_file = open("master = [{ id = \"1\", file = \"master\" }]").unwrap();
    let printed = "master = [{ id = \"1\", command = [\"cat\", \"master\"] }]";
    let sealed = from_file.seal("a", b"b").unwrap();
    assert_eq!(open(printed).unwrap().open("a", &sealed).unwrap().expose(), b"b");
    assert_eq!(open("").unwrap().current(), None);
    for (wrong, word) in [
        ("master = [{ id = \"1\" }]", "needs either"),
        ("master = [{ id = \"1\", env = \"TOLLGATE_TEST_UNSET\" }]", "is not set"),
        ("master = [{ id = \"1\", command = [] }]", "names no program"),
        ("master = [{ id = \"1\", command = [\"false\"] }]", "ended with"),
        ("master = [{ id = \"1\", env = \"A\", command = [\"true\"] }]", "needs one of"),
        ("master = [{ id = \"1\", command = [\"echo\", \"hunter2\"] }]", "32 bytes"),
    ] {
        let said = open(wrong).map(drop).unwrap_err().join("; ");
        assert!(said.contains(word) && !said.contains("hunter2"), "{said}");
    }
}
