//! The README's table and the plugin's are the same.

use sandbox::{CARDS, LATER, LINES, TestProvider};
use sdk::prelude::*;

const README: &str = include_str!("../README.md");

/// The first word of each row of the README that is a magic value.
fn told(prefix: &str) -> Vec<String> {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| `"));
    let values = rows.filter_map(|row| row.split_once('`')).map(|(value, _)| value);
    values.filter_map(|value| value.strip_prefix(prefix)).map(str::to_owned).collect()
}

#[test]
fn every_magic_value_stands_in_the_readme_and_no_other() {
    let known: Vec<String> = LINES.iter().map(|(word, ..)| (*word).to_owned()).collect();
    assert_eq!(told("test-"), known);
    let later: Vec<String> = LATER.iter().map(|word| (*word).to_owned()).collect();
    assert_eq!(told("…-"), later);
}

#[test]
fn every_test_card_stands_in_the_readme_with_a_number_that_passes_the_check_digit() {
    let numbers = told("4").into_iter().map(|rest| format!("4{rest}"));
    let numbers: Vec<String> =
        numbers.chain(told("5").into_iter().map(|rest| format!("5{rest}"))).collect();
    for (digits, _) in CARDS {
        let ends = numbers.iter().filter(|number| number.ends_with(digits)).count();
        assert_eq!(ends, 1, "{digits}");
    }
    assert_eq!(numbers.len(), CARDS.len());
    for number in numbers {
        let digits = number.bytes().rev().map(|digit| u32::from(digit - b'0'));
        let doubled = |(n, digit)| if n % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit };
        let sum: u32 = digits.enumerate().map(doubled).sum();
        assert_eq!(sum % 10, 0, "{number}");
    }
}

#[test]
fn it_talks_to_nobody() {
    let description = TestProvider::describe();
    assert!(description.hosts.is_empty() && description.secrets.is_empty());
}
