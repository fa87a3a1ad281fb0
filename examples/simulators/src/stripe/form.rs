//! Form bodies with nested keys, `metadata[entry]=E1&expand[]=latest_charge`, read into a tree.
//!
//! A leaf is a string: what it means is for [`super::params`].

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::refusal::Refusal;

const DEPTH_MAX: usize = 8;

/// Reads a form; a later value of the same key replaces an earlier one.
pub(crate) fn parse(form: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let mut tree = Map::new();
    for (key, value) in form_urlencoded::parse(form) {
        let path = path(&key).ok_or_else(|| Refusal::invalid(format!("Invalid key: {key}")))?;
        put(&mut tree, &path, value.into_owned())
            .ok_or_else(|| Refusal::invalid(format!("Invalid hash: {key}")).param(&key))?;
    }
    Ok(tree)
}

/// `a[b][]` as `["a", "b", ""]`.
fn path(key: &str) -> Option<Vec<&str>> {
    let (first, mut rest) = match key.find('[') {
        Some(at) => key.split_at(at),
        None => (key, ""),
    };
    let mut parts = vec![first];
    while !rest.is_empty() {
        let (part, after) = rest.strip_prefix('[')?.split_once(']')?;
        parts.push(part);
        rest = after;
    }
    let named = !first.is_empty() && parts.len() <= DEPTH_MAX;
    if named { Some(parts) } else { None }
}

fn put(tree: &mut Map<String, Value>, path: &[&str], value: String) -> Option<()> {
    let (name, rest) = path.split_first()?;
    let name = if name.is_empty() { tree.len().to_string() } else { (*name).to_owned() };
    if rest.is_empty() {
        return match tree.get(&name) {
            Some(Value::Object(_)) => None,
            _ => {
                tree.insert(name, Value::String(value));
                Some(())
            }
        };
    }
    match tree.entry(name).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(branch) => put(branch, rest, value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_keys_become_a_tree() {
        let form = b"amount=1234&metadata[entry]=E%201&card[a][b]=c&expand[]=x&expand[]=y&empty=";
        let tree = Value::Object(parse(form).expect("a good form"));
        let expected = json!({
            "amount": "1234",
            "metadata": { "entry": "E 1" },
            "card": { "a": { "b": "c" } },
            "expand": { "0": "x", "1": "y" },
            "empty": "",
        });
        assert_eq!(tree, expected);
    }

    #[test]
    fn a_key_that_is_both_text_and_hash_is_refused() {
        for form in ["a=1&a[b]=2", "a[b]=2&a=1", "a[b=1", "[a]=1", "a]b=1&a[x]y=2"] {
            let refused = parse(form.as_bytes());
            assert!(refused.is_err(), "{form} was read as {refused:?}");
        }
    }

    #[test]
    fn keys_nested_without_end_are_refused() {
        let form = format!("a{}=1", "[b]".repeat(1000));
        assert!(parse(form.as_bytes()).is_err());
    }
}
