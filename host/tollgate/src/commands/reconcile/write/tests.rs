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
fn a_row_has_a_cell_for_every_column() {
    assert_eq!(cells(&json!({})).len(), COLUMNS.len());
}
