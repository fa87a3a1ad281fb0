//! `tollgate reconcile`: the ledger of a host that is stopped against what a provider has booked.
//!
//! Ends with 0 where the two agree, with 2 where they differ, and with 1 where they could not be
//! compared.

mod write;

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use engine::{FeeRule, Reconciled, Reconciliation, ReportFile};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ledger::Currency;

use super::desk::Desk;
use super::{Differing, Outcome};
use write::Writer;

/// Compare the ledger with what the provider says it has booked, and list what differs and why. The
/// host must not be running on the same store. Ends with 0 where the two agree, and with 2 where
/// they differ.
#[derive(Args)]
pub struct ReconcileCommand {
    /// The account.
    #[arg(long)]
    account: String,
    /// From this moment on: a UTC day, as 2026-11-01, a time, as 2026-11-01T00:00:00+08:00, or
    /// seconds of Unix time, as @1793491200.
    #[arg(long, value_parser = moment)]
    from: Timestamp,
    /// Before this moment.
    #[arg(long, value_parser = moment)]
    to: Timestamp,
    /// How what differs is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The provider's report, as files of the form that the plugin's README names. Without any, the
    /// provider is asked.
    #[arg(long)]
    report: Vec<PathBuf>,
    /// The file to write; standard output when left out.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Settle unknown entries that a booked movement proves, and record movements that no entry
    /// explains as anomalies. Without it, nothing is changed.
    #[arg(long)]
    resolve: bool,
    /// How far around the span the provider is asked too, in hours, to tell late from missing.
    #[arg(long, default_value_t = 24)]
    margin_hours: u32,
    /// How far a booking may be from the entry, in minutes, before it counts as late or early.
    #[arg(long, default_value_t = 60)]
    tolerance_minutes: u32,
    /// What the provider was agreed to keep of payments in a currency: in percent, and a fixed part
    /// in minor units, as EUR:1.5%+25.
    #[arg(long, value_parser = fee)]
    fee: Vec<FeeRule>,
    /// The configuration.
    #[arg(long, default_value = "tollgate.toml")]
    config: PathBuf,
}

/// How what differs is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// Rows for a spreadsheet: RFC 4180, and no cell that is a formula.
    Csv,
}

impl ReconcileCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        let config = self.config.clone();
        let mut done = Reconciled::default();
        Desk::with_accounts(&config, async |desk| {
            done = self.compare(desk).await?;
            Ok(())
        })?;
        match done.differences {
            0 => Ok(()),
            count => Err(Box::new(Differing(count))),
        }
    }

    async fn compare(self, desk: &Desk) -> Result<Reconciled, super::Failure> {
        let (format, out) = (self.format, self.out.clone());
        // Nothing is written over before what is asked can be read: one file may be both.
        let asked = self.asked()?;
        let out: Box<dyn Write + Send> = match out {
            Some(file) => Box::new(BufWriter::new(File::create(file)?)),
            None => Box::new(std::io::stdout()),
        };
        let mut writer = Writer::new(format, out);
        if asked.resolve {
            let what = format!("{} {} {}", asked.account, asked.since_ms, asked.until_ms);
            desk.note("reconcile", &asked.account, &what).await?;
        }
        writer.begin(&asked)?;
        let done = desk.books().reconcile(asked, &mut |one| writer.difference(one)).await?;
        writer.end(&done)?;
        Ok(done)
    }

    fn asked(self) -> Result<Reconciliation, super::Failure> {
        let open = |path: &PathBuf| -> Result<ReportFile, super::Failure> {
            let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(Box::new(BufReader::new(file)))
        };
        Ok(Reconciliation {
            files: self.report.iter().map(open).collect::<Result<_, _>>()?,
            account: self.account,
            since_ms: unix_ms(self.from),
            until_ms: unix_ms(self.to),
            resolve: self.resolve,
            margin_ms: u64::from(self.margin_hours) * 3_600_000,
            tolerance_ms: u64::from(self.tolerance_minutes) * 60_000,
            fees: self.fee,
        })
    }
}

fn unix_ms(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_millisecond()).unwrap_or_default()
}

const DAY: &str = "2026-11-01";

/// A time with its offset, or a day, which begins at midnight UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = |date: Date| date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let read = match text.strip_prefix('@').map(str::parse) {
        Some(Ok(seconds)) => Timestamp::from_second(seconds).ok(),
        Some(Err(_)) => None,
        // A time without its offset would be read as a day.
        None if text.len() == DAY.len() => text.parse::<Date>().and_then(day).ok(),
        None => text.parse().ok(),
    };
    read.ok_or_else(|| "write a day, as 2026-11-01, or a time, as 2026-11-01T09:30:00Z".to_owned())
}

/// `EUR:1.5%+25`, or either part alone.
fn fee(text: &str) -> Result<FeeRule, String> {
    let wrong = || "write it as EUR:1.5%+25: percent, and minor units".to_owned();
    let (currency, parts) = text.split_once(':').ok_or_else(wrong)?;
    let currency = Currency::from_code(currency).map_err(|error| error.to_string())?;
    let mut rule = FeeRule { currency, basis_points: 0, fixed_minor: 0 };
    for part in parts.split('+') {
        match part.strip_suffix('%') {
            Some(percent) => rule.basis_points = basis_points(percent).ok_or_else(wrong)?,
            None => rule.fixed_minor = part.parse().map_err(|_| wrong())?,
        }
    }
    Ok(rule)
}

/// Percent with two places at most, in hundredths of a percent.
fn basis_points(percent: &str) -> Option<u32> {
    let (whole, places) = percent.split_once('.').unwrap_or((percent, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(places) || places.len() > 2 || whole.is_empty() {
        return None;
    }
    format!("{whole}{places:0<2}").parse().ok().filter(|points| *points <= 10_000)
}

#[cfg(test)]
mod tests;
