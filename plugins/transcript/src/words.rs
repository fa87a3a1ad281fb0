//! Words of a line: bare where they can be, else in double quotes with `\"`, `\\` and `\n`.

/// The words of a line; `None` when a quote is left open.
pub(crate) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => word.get_or_insert_default().push(match characters.next()? {
                'n' => '\n',
                other => other,
            }),
            ' ' if !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    (!quoted).then_some(words)
}

/// The word as a line holds it.
pub(crate) fn quote(word: &str) -> String {
    let bare = |character: char| !character.is_whitespace() && !"\"\\".contains(character);
    if !word.is_empty() && word.chars().all(bare) {
        return word.to_owned();
    }
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
