use serde_json::json;

use super::*;

#[test]
fn no_cell_is_a_formula_and_none_ends_early() {
    for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"] {
        assert!(cell_text(formula).starts_with("\"'"), "{formula:?}");
    }
    assert_eq!(cell_text("a \"b\", c\nd"), "\"a \"\"b\"\", c\nd\"");
    assert_eq!(cell_text("order-1"), "\"order-1\"");
    assert_eq!(cell_text(""), "\"\"");
}

#[test]
fn every_column_stands_where_a_difference_has_it() {
    let money = json!({ "minor": 1, "currency": "EUR" });
    let value = json!({
        "differs": "amount", "settled": false, "why": "w", "payment": "pay_1",
        "merchant_reference": "=r",
        "entry": {
            "id": "ent_1", "kind": "refund", "state": "succeeded", "amount": money,
            "changed_at": "t",
        },
        "movement": {
            "id": "m", "kind": "refund", "state": "booked", "amount": money, "reference": "re_1",
            "fee": money, "booked_at": "t",
        },
    });
    assert!(cells(&value).iter().all(|cell| !cell.is_empty()), "{:?}", cells(&value));
    assert_eq!(cells(&json!({})), vec![String::new(); COLUMNS.len()]);
}
