use super::*;

#[test]
fn nobody_reads_the_memory_of_a_host_that_serves() {
    assert!(capctl::prctl::get_dumpable().unwrap());
    close_memory().unwrap();
    assert!(!capctl::prctl::get_dumpable().unwrap());
}
