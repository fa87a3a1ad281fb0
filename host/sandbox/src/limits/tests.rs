use super::Limits;

#[test]
fn by_default_one_plugin_computes_on_half_of_the_processors_and_always_on_one() {
    for (processors, computing) in [(1, 1), (2, 1), (3, 1), (4, 2), (7, 3), (8, 4), (64, 32)] {
        let limits = Limits::on(processors);
        assert_eq!(limits.computing_calls_per_plugin_max, computing, "of {processors}");
    }
}

#[test]
fn by_default_one_plugin_leaves_places_to_its_neighbours_however_many_processors_there_are() {
    for (processors, places) in [(1, 8), (8, 8), (16, 16), (48, 48), (1_000, 48)] {
        let limits = Limits::on(processors);
        assert_eq!(limits.concurrent_calls_per_plugin_max, places, "with {processors}");
        assert!(limits.concurrent_calls_per_plugin_max < limits.concurrent_calls_max);
    }
}
