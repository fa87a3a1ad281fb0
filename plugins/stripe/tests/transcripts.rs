//! Every conversation of `transcripts/`, played natively.

#[test]
fn every_transcript_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/transcripts");
    let played = sdk::test::transcripts::<stripe::Stripe>(folder);
    let played = played.unwrap_or_else(|why| panic!("{why}"));
    assert!(played >= 25, "only {played} transcripts");
}
