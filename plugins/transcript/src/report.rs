//! Reports in a transcript: fetched by `report SINCE UNTIL`, or read by `read FILE BYTES` from a
//! file beside it, in pieces of so many bytes. Each movement is a line.

use crate::replay::{Player, Waiting};
use crate::show::{exchange_text, failure_text, movement_text};
use crate::{Failure, Movement, Page, Piece, Reply, Span};

/// A file within a reply is read in pieces of this size, so that most lines are cut.
const PIECE_BYTES: usize = 61;

pub(crate) fn is_command(words: &[String]) -> bool {
    words.first().is_some_and(|verb| verb == "report" || verb == "read")
}

pub(crate) fn command(player: &mut Player<'_>, words: &[String]) -> Result<(), String> {
    let text: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
    match text.as_slice() {
        ["report", since, until] => {
            let span = Span { since: number(since)?, until: number(until)? };
            let page = player.stage.begin(span);
            show(player, span, page, &[]);
        }
        ["read", name, bytes] => {
            let file = std::fs::read(player.folder.join(name));
            let file = file.map_err(|error| format!("{name}: {error}"))?;
            let size = usize::try_from(number(bytes)?).unwrap_or_default().max(1);
            let said = read(player, &file, size).map_or_else(|failure| failure, ended);
            player.block(said);
        }
        _ => return Err("write `report SINCE UNTIL` or `read FILE BYTES`".to_owned()),
    }
    Ok(())
}

/// What the plugin made of a reply.
pub(crate) fn page(
    player: &mut Player<'_>,
    span: Span,
    page: Result<Page, Failure>,
    reply: &Reply,
) {
    let body = match reply {
        Reply::Http(response) => &response.body,
        Reply::Frame(body) => body,
    };
    show(player, span, page, body);
}

fn show(player: &mut Player<'_>, span: Span, page: Result<Page, Failure>, body: &[u8]) {
    let page = match page {
        Ok(page) => page,
        Err(failure) => return player.block(format!("= {}", failure_text(&failure))),
    };
    let mut lines: Vec<String> = page.movements.iter().map(line).collect();
    if page.is_file {
        match read(player, body, PIECE_BYTES) {
            Ok(more) => lines.extend(more),
            Err(failure) => return player.block(failure),
        }
    }
    let Some(next) = page.next else { return player.block(ended(lines)) };
    if !lines.is_empty() {
        player.block(lines.join("\n"));
    }
    player.block(exchange_text(&next));
    player.waiting = Some(Waiting::Report(span, next));
}

fn ended(mut lines: Vec<String>) -> String {
    lines.push("= end of the report".to_owned());
    lines.join("\n")
}

fn line(movement: &Movement) -> String {
    format!("= {}", movement_text(movement))
}

/// The lines of a file, or the failure's.
fn read(player: &mut Player<'_>, file: &[u8], size: usize) -> Result<Vec<String>, String> {
    let (mut lines, mut state, mut rest) = (Vec::new(), Vec::new(), file);
    loop {
        let (bytes, after) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        let last = bytes.len() < size;
        let portion = player.stage.read(&Piece { state, bytes: bytes.to_vec(), last });
        let portion = portion.map_err(|failure| format!("= {}", failure_text(&failure)))?;
        lines.extend(portion.movements.iter().map(line));
        if last {
            return Ok(lines);
        }
        (state, rest) = (portion.state, after);
    }
}
