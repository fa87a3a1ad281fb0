//! Every conversation in `transcripts/`, to the letter.

use sandbox::TestProvider;

#[test]
fn every_transcript_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/transcripts");
    let played = sdk::test::transcripts::<TestProvider>(folder);
    let played = played.unwrap_or_else(|why| panic!("{why}"));
    assert!(played >= 11, "only {played} transcripts");
}
