//! The difference of two texts, line by line, with two lines around each change.

const AROUND: usize = 2;

/// Lines only in `old` after `-`, only in `new` after `+`; empty when they are equal.
pub(crate) fn diff(old: &str, new: &str) -> String {
    let marked = marked(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let changes: Vec<usize> = (0..marked.len())
        .filter(|at| marked.get(*at).is_some_and(|(mark, _)| *mark != ' '))
        .collect();
    let near = |at: &usize| changes.iter().any(|change| change.abs_diff(*at) <= AROUND);
    let mut text = String::new();
    let mut last = None;
    for (at, (mark, line)) in marked.iter().enumerate().filter(|(at, _)| near(at)) {
        if last.is_some_and(|last| last + 1 != at) {
            text += "  …\n";
        }
        text += &format!("{mark} {line}\n");
        last = Some(at);
    }
    text
}

/// By the longest common subsequence.
fn marked<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    let common = common(old, new);
    let length = |i: usize, j: usize| common.get(i).and_then(|row| row.get(j)).copied();
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => {
                lines.push((' ', *a));
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), b) if b.is_none() || length(i + 1, j) >= length(i, j + 1) => {
                lines.push(('-', *a));
                i += 1;
            }
            (_, Some(b)) => {
                lines.push(('+', *b));
                j += 1;
            }
            _ => return lines,
        }
    }
}

fn common(old: &[&str], new: &[&str]) -> Vec<Vec<usize>> {
    let mut rows = vec![vec![0; new.len() + 1]];
    for a in old.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0];
        for (b, pair) in new.iter().rev().zip(below.windows(2).rev()) {
            let [diagonal_of, diagonal] = pair else { continue };
            let right = row.last().copied().unwrap_or_default();
            row.push(if a == b { diagonal + 1 } else { right.max(*diagonal_of) });
        }
        row.reverse();
        rows.push(row);
    }
    rows.reverse();
    rows
}
