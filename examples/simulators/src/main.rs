//! `simulators stripe` and `simulators wechatpay`: the simulators as programs.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use simulators::{
    Delay, KeyError, PlatformIdentity, Retries, StripeOptions, StripeSimulator, WechatpayKeys,
    WechatpayOptions, WechatpaySimulator,
};
use tracing_subscriber::EnvFilter;

/// Payment providers on loopback, for tests. Nothing here takes money.
#[derive(Parser)]
#[command(name = "simulators", version)]
struct Cli {
    #[command(subcommand)]
    provider: ProviderCommand,
}

#[derive(Subcommand)]
enum ProviderCommand {
    /// Stripe: payment intents, refunds, signed events.
    Stripe(StripeArgs),
    /// WeChat Pay APIv3: native payments, refunds, payouts, sealed notifications.
    Wechatpay(WechatpayArgs),
}

#[derive(Args)]
struct CommonArgs {
    /// Where to listen; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Milliseconds before an answer; with --sigma, the median of a log-normal distribution.
    #[arg(long, default_value_t = 0)]
    answer_delay_ms: u64,
    /// Standard deviation of the logarithm of the delay.
    #[arg(long)]
    answer_delay_sigma: Option<f64>,
    /// Seed of the delays.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Factor on the pauses between attempts at a notification: 0.01 makes 5 s 50 ms.
    #[arg(long, default_value_t = 1.0)]
    retry_scale: f64,
}

impl CommonArgs {
    fn delay(&self) -> Delay {
        let median = Duration::from_millis(self.answer_delay_ms);
        match self.answer_delay_sigma {
            _ if median.is_zero() => Delay::None,
            Some(sigma) => Delay::LogNormal { median, sigma, seed: self.seed },
            None => Delay::Fixed(median),
        }
    }

    fn retries(&self, schedule: Retries) -> Retries {
        schedule.scaled(self.retry_scale)
    }
}

#[derive(Args)]
struct StripeArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// The only secret key accepted.
    #[arg(long, default_value = "sk_test_simulator")]
    api_key: String,
    /// What events are signed with.
    #[arg(long, default_value = "whsec_test_simulator")]
    webhook_secret: String,
    /// Where events go: a plain http address.
    #[arg(long)]
    webhook_url: Option<String>,
    /// The API version of callers that name none.
    #[arg(long)]
    api_version: Option<String>,
}

#[derive(Args)]
struct WechatpayArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Folder of test keys: read if it is there, made and filled if not.
    #[arg(long)]
    keys: PathBuf,
    /// The merchant's number, for keys that are made.
    #[arg(long, default_value = "1900000001")]
    mchid: String,
    /// The only application accepted; without it, any.
    #[arg(long)]
    appid: Option<String>,
    /// Sign with the platform's certificate instead of its public key.
    #[arg(long)]
    certificate: bool,
    /// Leave refunds under way until POST /_simulator/settle.
    #[arg(long)]
    settle_by_hand: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Cli::parse().provider {
        ProviderCommand::Stripe(args) => stripe(args).await,
        ProviderCommand::Wechatpay(args) => wechatpay(args).await,
    }
}

async fn stripe(args: StripeArgs) -> Result<(), Box<dyn Error>> {
    let defaults = StripeOptions::default();
    let simulator = StripeSimulator::start(StripeOptions {
        listen: args.common.listen,
        answer_delay: args.common.delay(),
        retries: args.common.retries(defaults.retries.clone()),
        api_key: args.api_key,
        webhook_secret: args.webhook_secret,
        webhook_url: args.webhook_url,
        api_version: args.api_version.unwrap_or_else(|| defaults.api_version.clone()),
        ..defaults
    })
    .await?;
    announce("stripe", &simulator.base_url())?;
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}

async fn wechatpay(args: WechatpayArgs) -> Result<(), Box<dyn Error>> {
    let defaults = WechatpayOptions::new(keys(&args)?);
    let identity =
        if args.certificate { PlatformIdentity::Certificate } else { PlatformIdentity::PublicKey };
    let simulator = WechatpaySimulator::start(WechatpayOptions {
        listen: args.common.listen,
        answer_delay: args.common.delay(),
        retries: args.common.retries(defaults.retries.clone()),
        identity,
        appid: args.appid,
        settles_at_once: !args.settle_by_hand,
        ..defaults
    })
    .await?;
    announce("wechatpay", &simulator.base_url())?;
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}

fn keys(args: &WechatpayArgs) -> Result<WechatpayKeys, KeyError> {
    if args.keys.join("apiv3_key.txt").exists() {
        return WechatpayKeys::read(&args.keys);
    }
    let keys = WechatpayKeys::generate(&args.mchid)?;
    keys.write(&args.keys)?;
    Ok(keys)
}

/// One line that a script can wait for and read the address from.
fn announce(name: &str, base_url: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name} simulator listening on {base_url}")?;
    out.flush()
}
