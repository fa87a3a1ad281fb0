//! What WeChat Pay has booked: the trade bill (交易账单) of a day, with all of its trades, asked for
//! and downloaded, or as a file. Manual: docs/merchant/apis/jsapi-payment/get-trade-bill.html.
//!
//! A bill is of a day of Beijing, and is there at about ten of the next morning. It holds orders
//! and refunds; transfers stand in another one. Not here: the packed form (`tar_type=GZIP`).

use sdk::prelude::*;
use sha1::{Digest, Sha1};

use crate::signature::{check, signed};
use crate::wire::{self, CNY, Thing};

const DAY_SECONDS: u64 = 86_400;
/// Beijing is eight hours ahead, and knows no summer time.
const AHEAD_SECONDS: u64 = 8 * 3_600;

/// Asks for the bill of the span's first day.
pub(crate) fn begin(host: &dyn Host, span: &Span) -> Result<Page, Failure> {
    from_day(host, span, (span.since + AHEAD_SECONDS) / DAY_SECONDS)
}

/// Asks for the bill of this day, if it is of the span.
fn from_day(host: &dyn Host, span: &Span, day: u64) -> Result<Page, Failure> {
    if day * DAY_SECONDS >= span.until + AHEAD_SECONDS {
        return Ok(Page::of([]));
    }
    let (year, month, date) = civil(day);
    let path = format!("/v3/bill/tradebill?bill_date={year:04}-{month:02}-{date:02}&bill_type=ALL");
    let asked = signed(host, &path, String::new())?.state(format!("bill {day}"));
    Ok(Page::of([]).then(asked))
}

/// After the answer with the bill's place, or after the bill itself.
pub(crate) fn proceed(
    host: &dyn Host,
    span: &Span,
    state: &[u8],
    reply: &HttpResponse,
) -> Result<Page, Failure> {
    let state = std::str::from_utf8(state)?;
    let words: Vec<&str> = state.split(' ').collect();
    let day = |text: &str| text.parse::<u64>().map_err(|_| Failure::malformed(state));
    match words.as_slice() {
        ["bill", of] => placed(host, span, day(of)?, reply),
        ["file", of, hash] => downloaded(host, span, (day(of)?, hash), reply),
        _ => Err(Failure::malformed(state)),
    }
}

/// The answer is signed, and tells the hash of the bill, which is not.
fn placed(host: &dyn Host, span: &Span, day: u64, reply: &HttpResponse) -> Result<Page, Failure> {
    check(host, reply).map_err(|why| Failure::malformed(format!("not believed, as {why}")))?;
    if reply.status != 200 {
        let Thing { code, message, .. } = reply.json().unwrap_or_default();
        return match wire::among("NO_STATEMENT_EXIST", &code) {
            true => from_day(host, span, day + 1),
            false => Err(Failure::malformed(format!("{} {code}: {message}", reply.status))),
        };
    }
    let place: Place = reply.json()?;
    if place.hash_type != "SHA1" {
        return Err(Failure::malformed(format!("its hash is by {}", place.hash_type)));
    }
    // Wherever it says, the bill is asked of the host that this account is configured for.
    let path = place.download_url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let (_, path) = path.ok_or_else(|| Failure::malformed("its place is no URL"))?;
    let state = format!("file {day} {}", place.hash_value.to_lowercase());
    Ok(Page::of([]).then(signed(host, &format!("/{path}"), String::new())?.state(state)))
}

#[derive(serde::Deserialize)]
struct Place {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

/// The bill, if it is the one that was told of. SHA-1 is the provider's; who could make another
/// bill of the same hash would have to have made this one, too.
fn downloaded(
    host: &dyn Host,
    span: &Span,
    (day, hash): (u64, &str),
    reply: &HttpResponse,
) -> Result<Page, Failure> {
    let found = hex(Sha1::digest(&reply.body));
    if reply.status != 200 || found != hash {
        let status = reply.status;
        let why = format!("status {status}, hash {found}: not the bill that was told of, {hash}");
        return Err(Failure::malformed(why));
    }
    let next = from_day(host, span, day + 1)?.next;
    Ok(Page { next, ..Page::file() })
}

/// Reads a piece of a bill. What is kept is how far it was read, and what no line end follows yet.
pub(crate) fn read(host: &dyn Host, piece: &Piece) -> Result<Portion, Failure> {
    let (mut bill, rest) = Bill::kept(&piece.state)?;
    let text = [rest, &piece.bytes].concat();
    let whole = match piece.last {
        true => text.len(),
        false => text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1),
    };
    let (lines, rest) = text.split_at_checked(whole).unwrap_or((&text, &[]));
    let mut movements = Vec::new();
    for line in std::str::from_utf8(lines)?.lines() {
        let line = line.trim_start_matches('\u{feff}').trim_end();
        if let Some(row) = bill.line(line)? {
            movements.push(movement(host, &row)?);
        }
    }
    if piece.last && bill.columns != END {
        return Err(Failure::malformed("the bill breaks off, or is none: it has no totals"));
    }
    Ok(Portion::of(movements, [bill.to_string().as_bytes(), b"\n", rest].concat()))
}

const ORDER: &str = "微信订单号";
const TOTALS: &str = "总交易单数";
/// In the place of the columns, once the totals were read.
const END: &str = ".";

/// How far a bill was read: its rows, and the columns of the next one.
#[derive(Default)]
struct Bill {
    rows: u64,
    columns: String,
}

impl std::fmt::Display for Bill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.rows, self.columns)
    }
}

impl Bill {
    /// What was kept, and what follows it.
    fn kept(state: &[u8]) -> Result<(Bill, &[u8]), Failure> {
        let Some(end) = state.iter().position(|byte| *byte == b'\n') else {
            return Ok((Bill::default(), &[]));
        };
        let (line, rest) = state.split_at_checked(end).unwrap_or_default();
        let line = std::str::from_utf8(line)?;
        let (rows, columns) = line.split_once(' ').unwrap_or_default();
        let rows = rows.parse().map_err(|_| Failure::malformed(line))?;
        Ok((Bill { rows, columns: columns.to_owned() }, rest.get(1..).unwrap_or_default()))
    }

    /// The next line; a row of it, where it is one. The totals have to fit: a bill that lacks a row
    /// is worse than none.
    fn line<'a>(&'a mut self, line: &'a str) -> Result<Option<Row<'a>>, Failure> {
        match line.strip_prefix('`') {
            Some(row) if self.columns.contains(ORDER) => {
                self.rows += 1;
                return Ok(Some(Row::of(&self.columns, row)));
            }
            Some(row) if self.columns.starts_with(TOTALS) => {
                let told = row.split(",`").next().unwrap_or_default();
                if told != self.rows.to_string() {
                    let why = format!("the bill has {} rows, and says {told}", self.rows);
                    return Err(Failure::malformed(why));
                }
                self.columns = END.to_owned();
            }
            None if line.is_empty() => {}
            None if line.contains(ORDER) || line.starts_with(TOTALS) => {
                self.columns = line.to_owned();
            }
            _ => return Err(Failure::malformed("no trade bill")),
        }
        Ok(None)
    }
}

/// A line of a bill: values after backquotes, so that no spreadsheet takes them for numbers.
struct Row<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Row<'a> {
    fn of(columns: &'a str, row: &'a str) -> Row<'a> {
        Row(columns.split(',').map(str::trim).zip(row.split(",`")).collect())
    }

    fn get(&self, column: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(name, _)| *name == column);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    fn need(&self, column: &str) -> Result<&'a str, Failure> {
        self.get(column).ok_or_else(|| Failure::malformed(format!("a row has no {column}")))
    }
}

fn movement(host: &dyn Host, row: &Row<'_>) -> Result<Movement, Failure> {
    let (theirs, ours) = (row.need(ORDER)?, row.need("商户订单号")?);
    let at = row.need("交易时间")?;
    let at = unix(at).ok_or_else(|| Failure::malformed(format!("交易时间: {at}")))?;
    let currency = row.get("货币种类").unwrap_or(CNY);
    let money = |names: [&str; 2]| {
        let text = names.into_iter().find_map(|name| row.get(name));
        let text = text.ok_or_else(|| Failure::malformed(format!("a row has no {}", names[0])))?;
        host.from_decimal(text, currency)
    };
    Ok(match row.need("交易状态")? {
        "SUCCESS" => {
            let amount = money(["订单金额", "应结订单金额"])?;
            let fee = row.get("手续费").and_then(fen).map(|fee| Money::new(fee, currency));
            Movement::booked(theirs, MovementKind::Payment, amount, at)
                .entry(ours.to_owned())
                .references((ours.to_owned(), theirs.to_owned()))
                .fee(fee)
        }
        "REFUND" => {
            let (theirs, ours) = (row.need("微信退款单号")?, row.need("商户退款单号")?);
            let amount = money(["申请退款金额", "退款金额"])?;
            let state = match row.get("退款状态") {
                Some("SUCCESS") | None => MovementState::Booked,
                Some("FAIL") => MovementState::Failed,
                Some(_) => MovementState::Pending,
            };
            Movement::booked(theirs, MovementKind::Refund, amount, at)
                .state(state)
                .entry(ours.to_owned())
                .references((ours.to_owned(), theirs.to_owned()))
        }
        // A payment by code that was taken back (撤销): nothing that this plugin asks for.
        other => {
            let amount = money(["订单金额", "应结订单金额"])?;
            Movement::booked(format!("{theirs}/{other}"), MovementKind::Other, amount, at)
        }
    })
}

/// A fee in fen, rounded half up: bills write up to five places. One that is given back is none.
fn fen(text: &str) -> Option<u64> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let places = format!("{places:0<3}");
    let digits: u64 = format!("{whole}{}", places.get(..3)?).parse().ok()?;
    Some((digits + 5) / 10)
}

/// The Unix time of `2026-11-01 12:34:56` in Beijing.
fn unix(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(' ')?;
    let numbers = |text: &str, by: char| -> Option<[u64; 3]> {
        let all: Vec<u64> = text.split(by).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        all.try_into().ok()
    };
    let ([year, month, date], [hour, minute, second]) = (numbers(date, '-')?, numbers(time, ':')?);
    let fits =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&date);
    let fits = fits && hour < 24 && minute < 60 && second < 61;
    let seconds = days(year, month, date) * DAY_SECONDS + hour * 3_600 + minute * 60 + second;
    fits.then(|| seconds.checked_sub(AHEAD_SECONDS))?
}

/// Days since the Unix epoch of a date, from 1970 on (Howard Hinnant, `days_from_civil`).
fn days(year: u64, month: u64, date: u64) -> u64 {
    let year = if month > 2 { year } else { year - 1 };
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let (era, of_era) = (year / 400, year % 400);
    let day_of_year = (153 * shifted + 2) / 5 + date - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// The date of a day since the Unix epoch: the reverse.
fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + u64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests;
