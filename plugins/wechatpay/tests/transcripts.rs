//! Every conversation in `transcripts/`, to the letter.

use wechatpay::WechatPay;

#[test]
fn every_transcript_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/transcripts");
    let played = sdk::test::transcripts::<WechatPay>(folder).unwrap_or_else(|why| panic!("{why}"));
    assert!(played >= 30, "{played} transcripts");
}
