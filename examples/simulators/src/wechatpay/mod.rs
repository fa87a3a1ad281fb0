//! WeChat Pay APIv3 for a direct merchant: native payments, refunds, payouts, sealed notifications.
//!
//! Follows pay.weixin.qq.com/doc/v3/merchant (2024-2025) and PyPI `wechatpayv3` 2.0.4. Not here:
//! partners and sub-merchants, other ways to pay than native, coupons, bills, profit sharing, SM2.
//! Where the manual leaves room, or could not be consulted: an unknown field in a body is refused;
//! a `mchid` other than the signer's is `NO_AUTH`; closing a paid order is `ORDERPAID`; answers of
//! status 401 are not signed; `notify_url` may be plain http.

mod authorization;
mod bills;
mod certificates;
mod fields;
mod keys;
mod notifications;
mod orders;
mod payer;
mod refunds;
mod refusal;
mod seal;
mod state;
mod transfers;

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::Value;

use crate::books::Books;
use crate::clock::Clock;
use crate::courier::{Courier, Retries, Seal, Terms};
use crate::delay::Delay;
use crate::exchange::{Answer, Asked};
use crate::identifiers;
use crate::payer::PayerAnswer;
use crate::server::{self, Provider, Running, StartError};

pub use keys::{KeyError, WechatpayKeys};
pub use seal::PlatformIdentity;

use orders::Merchant;
use refusal::Refusal;
use seal::Platform;
use state::State;

/// How the simulated WeChat Pay is set up.
#[derive(Clone, Debug)]
pub struct WechatpayOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The keys of both sides.
    pub keys: WechatpayKeys,
    /// What the platform signs with.
    pub identity: PlatformIdentity,
    /// The only application accepted; without it, any.
    pub appid: Option<String>,
    /// What the merchant may spend on refunds and payouts, in fen; without it, there is always
    /// enough.
    pub balance: Option<i64>,
    /// Whether refunds and cancellations are done as soon as they are answered, or only by
    /// [`WechatpaySimulator::settle`].
    pub settles_at_once: bool,
    /// The time between a request's effect and its answer.
    pub answer_delay: Delay,
    /// The simulator's time.
    pub clock: Clock,
    /// When a notification that was not accepted is sent again.
    pub retries: Retries,
}

impl WechatpayOptions {
    /// The usual set-up with these keys.
    pub fn new(keys: WechatpayKeys) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            keys,
            identity: PlatformIdentity::default(),
            appid: None,
            balance: None,
            settles_at_once: true,
            answer_delay: Delay::None,
            clock: Clock::system(),
            retries: documented_retries(),
        }
    }
}

/// 15 s, 15 s, 30 s, 3 min, 10 min, 20 min, three times 30 min, 60 min, three times 3 h, twice 6 h.
fn documented_retries() -> Retries {
    let seconds = [
        15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
    ];
    Retries::after(seconds.map(Duration::from_secs))
}

/// A running WeChat Pay. It stops when dropped.
pub struct WechatpaySimulator {
    running: Running,
    wechatpay: Arc<Wechatpay>,
}

impl WechatpaySimulator {
    /// Starts listening.
    ///
    /// # Errors
    /// When the address cannot be listened on, or a key is not what it should be.
    pub async fn start(options: WechatpayOptions) -> Result<Self, StartError> {
        let listener = server::listen(options.listen).await?;
        let delay = options.answer_delay;
        let wechatpay = Wechatpay::new(options);
        let wechatpay = wechatpay.map_err(|error| StartError::new(error.to_string(), None))?;
        let wechatpay = Arc::new(wechatpay);
        let provider: Arc<dyn Provider> = Arc::clone(&wechatpay) as _;
        Ok(Self { running: Running::start(listener, provider, delay)?, wechatpay })
    }

    /// The payer of an order (by `out_trade_no` or `code_url`), or the payee of a transfer (by
    /// `out_bill_no`), accepts or not.
    ///
    /// # Errors
    /// In words, when there is nothing to pay or to confirm.
    pub fn pay(&self, reference: &str, answer: PayerAnswer) -> Result<(), String> {
        self.wechatpay.pay(reference, answer)
    }

    /// Refunds and cancellations under way are done, or refunds fail; returns how many.
    pub fn settle(&self, outcome: PayerAnswer) -> usize {
        self.wechatpay.settle_all(outcome)
    }

    /// What the merchant may spend from now on, in fen.
    pub fn set_balance(&self, fen: Option<i64>) {
        self.wechatpay.set_balance(fen);
    }

    /// Stops the simulator.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

impl Deref for WechatpaySimulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

struct Wechatpay {
    platform: Arc<Platform>,
    appid: Option<String>,
    settles_at_once: bool,
    clock: Clock,
    state: Mutex<State>,
    courier: Arc<Courier>,
}

impl Wechatpay {
    fn new(options: WechatpayOptions) -> Result<Self, KeyError> {
        let terms = Terms {
            accepted: |status| matches!(status, 200 | 204),
            time_limit: Duration::from_secs(5),
            retries: options.retries,
        };
        Ok(Self {
            platform: Arc::new(Platform::new(&options.keys, options.identity)?),
            appid: options.appid,
            settles_at_once: options.settles_at_once,
            clock: options.clock,
            state: Mutex::new(State { balance: options.balance, ..State::default() }),
            courier: Courier::new(terms),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pay(&self, reference: &str, answer: PayerAnswer) -> Result<(), String> {
        let (mchid, now_s) = (&self.platform.mchid, self.clock.now_s());
        let paid = {
            let state = &mut self.state();
            if state.transfers.contains_key(reference) {
                transfers::confirm(state, reference, answer, mchid, now_s)
            } else {
                orders::pay(state, reference, answer, mchid, now_s)
            }
        };
        self.emit();
        paid
    }

    fn settle_all(&self, outcome: PayerAnswer) -> usize {
        let (mchid, now_s) = (&self.platform.mchid, self.clock.now_s());
        let settled = {
            let state = &mut self.state();
            refunds::settle(state, outcome, mchid, now_s) + transfers::settle(state, mchid, now_s)
        };
        self.emit();
        settled
    }

    fn set_balance(&self, fen: Option<i64>) {
        self.state().balance = fen;
    }

    /// Sends what happened.
    fn emit(&self) {
        let outbox = std::mem::take(&mut self.state().outbox);
        for notice in outbox {
            self.courier.send(notifications::letter(&notice, &self.platform, &self.clock));
        }
    }

    fn route(&self, asked: &Asked) -> Result<Answer, Refusal> {
        check_headers(asked)?;
        authorization::check(&self.platform, asked, self.clock.now_s())?;
        match asked.method {
            Method::GET if asked.path == bills::PLACE => {
                let bill = bills::download(&self.state().books, asked).ok_or_else(unknown_path)?;
                Ok(Answer::text(StatusCode::OK, bill))
            }
            Method::GET => self.read(asked).map(|body| Answer::json(StatusCode::OK, &body)),
            Method::POST => self.change(asked),
            _ => Err(unknown_path()),
        }
    }

    fn read(&self, asked: &Asked) -> Result<Value, Refusal> {
        let (mchid, now_s) = (&self.platform.mchid, self.clock.now_s());
        let state = &mut self.state();
        match asked.segments().as_slice() {
            ["v3", "certificates"] => certificates::list(&self.platform),
            ["v3", "bill", "tradebill"] => bills::apply(&state.books, asked),
            ["v3", "pay", "transactions", "out-trade-no", no] => {
                self.check_query(asked)?;
                state.order(no).map(|order| orders::shown(order, mchid))
            }
            ["v3", "pay", "transactions", "id", id] => {
                self.check_query(asked)?;
                orders::by_transaction(state, id).map(|order| orders::shown(order, mchid))
            }
            ["v3", "refund", "domestic", "refunds", no] => refunds::retrieve(state, no),
            ["v3", "fund-app", "mch-transfer", "transfer-bills", "out-bill-no", no] => {
                transfers::retrieve(state, |bill| bill.out_bill_no == *no, mchid, now_s)
            }
            ["v3", "fund-app", "mch-transfer", "transfer-bills", "transfer-bill-no", no] => {
                transfers::retrieve(state, |bill| bill.transfer_bill_no == *no, mchid, now_s)
            }
            _ => Err(unknown_path()),
        }
    }

    fn check_query(&self, asked: &Asked) -> Result<(), Refusal> {
        let missing = || Refusal::malformed("请求参数中缺少mchid");
        let mchid = asked.query_value("mchid").ok_or_else(missing)?;
        self.merchant().check_mchid(&mchid)
    }

    fn merchant(&self) -> Merchant<'_> {
        Merchant { mchid: &self.platform.mchid, appid: self.appid.as_deref() }
    }

    fn change(&self, asked: &Asked) -> Result<Answer, Refusal> {
        let now_s = self.clock.now_s();
        let state = &mut self.state();
        let body = match asked.segments().as_slice() {
            ["v3", "pay", "transactions", "native"] => {
                orders::native(state, &json_body(asked)?, &self.merchant(), now_s)?
            }
            ["v3", "pay", "transactions", "out-trade-no", no, "close"] => {
                orders::close(state, no, &json_body(asked)?, &self.merchant())?;
                return Ok(Answer::empty(StatusCode::NO_CONTENT));
            }
            ["v3", "refund", "domestic", "refunds"] => {
                refunds::create(state, &json_body(asked)?, now_s)?
            }
            ["v3", "fund-app", "mch-transfer", "transfer-bills"] => {
                let serial = asked.header("wechatpay-serial");
                let merchant = (&self.merchant(), &*self.platform);
                transfers::create(state, &json_body(asked)?, serial, merchant, now_s)?
            }
            ["v3", "fund-app", "mch-transfer", "transfer-bills", "out-bill-no", no, "cancel"] => {
                transfers::cancel(state, no, now_s)?
            }
            _ => return Err(unknown_path()),
        };
        Ok(Answer::json(StatusCode::OK, &body))
    }

    fn signed(&self, mut answer: Answer) -> Answer {
        for (name, value) in self.platform.proof(&answer.body, self.clock.now_s(), Seal::Genuine) {
            answer = answer.with(name, &value);
        }
        answer
    }
}

impl Provider for Wechatpay {
    fn execute(&self, asked: &Asked) -> Answer {
        let answer = match self.route(asked) {
            // Bills are not signed: their hash was told in an answer that is.
            Ok(answer) if asked.path == bills::PLACE => answer,
            Ok(answer) => self.signed(answer),
            Err(refusal) if refusal.is_unsigned() => refusal.answer(),
            Err(refusal) => self.signed(refusal.answer()),
        };
        self.emit();
        answer.with("request-id", &identifiers::alphanumeric("", 32))
    }

    fn settle(&self, _answer: &Answer) {
        if self.settles_at_once {
            self.settle_all(PayerAnswer::Succeeded);
        }
    }

    fn broken(&self, status: StatusCode) -> Answer {
        let refusal = Refusal::new(status, "SYSTEM_ERROR", "系统异常，请稍后重试");
        self.signed(refusal.answer())
    }

    fn control(&self, asked: &Asked) -> Option<Answer> {
        payer::control(self, asked)
    }

    fn books(&self) -> Books {
        self.state().books.clone()
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }
}

fn check_headers(asked: &Asked) -> Result<(), Refusal> {
    if asked.header("accept").is_none() || asked.header("user-agent").is_none() {
        return Err(Refusal::malformed("Http头缺少Accept或User-Agent"));
    }
    let json =
        asked.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if asked.method == Method::POST && !json {
        return Err(Refusal::malformed("Http头Content-Type值必须为application/json"));
    }
    Ok(())
}

fn json_body(asked: &Asked) -> Result<Value, Refusal> {
    serde_json::from_slice(&asked.body).map_err(|_| Refusal::malformed("请求体不是合法的JSON格式"))
}

fn unknown_path() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", "请求的接口不存在")
}
