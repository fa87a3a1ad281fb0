//! Trade bills (交易账单): what was booked on a day of Beijing, as CSV with backquotes.
//! <https://pay.weixin.qq.com/docs/merchant/apis/jsapi-payment/get-trade-bill.html>
//!
//! More lenient than WeChat, which makes a bill on the next morning: here it is there at once, and
//! grows. Not modelled: bills of refunds alone, of the fund's flow, and the packed form.

use serde_json::{Value, json};
use sha1_for_rsa::{Digest, Sha1};

use crate::books::{Books, Movement, MovementKind};
use crate::exchange::Asked;

use super::refusal::Refusal;
use super::state::beijing;

/// Where a bill is downloaded, with the day it is of.
pub(crate) const PLACE: &str = "/v3/billdownload/file";

const COLUMNS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,\
    交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,\
    充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const TOTALS: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,\
    申请退款总金额";

/// `GET /v3/bill/tradebill`
pub(crate) fn apply(books: &Books, asked: &Asked) -> Result<Value, Refusal> {
    let day = asked.query_value("bill_date").unwrap_or_default();
    if !is_date(&day) || asked.query_value("bill_type").is_some_and(|kind| kind != "ALL") {
        return Err(Refusal::malformed("bill_date或bill_type不正确"));
    }
    let bill = bill(books, &day).ok_or_else(|| {
        Refusal::new(http::StatusCode::BAD_REQUEST, "NO_STATEMENT_EXIST", "账单文件不存在")
    })?;
    let host = asked.header("host").unwrap_or_default();
    Ok(json!({
        "hash_type": "SHA1",
        "hash_value": hex::encode(Sha1::digest(bill.as_bytes())),
        "download_url": format!("https://{host}{PLACE}?token={day}"),
    }))
}

/// The bill that a token stands for.
pub(crate) fn download(books: &Books, asked: &Asked) -> Option<String> {
    bill(books, &asked.query_value("token")?)
}

fn is_date(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), [y, m, d]
        if y.len() == 4 && m.len() == 2 && d.len() == 2 && digits(y) && digits(m) && digits(d))
}

/// The bill of a day; none where nothing was booked.
fn bill(books: &Books, day: &str) -> Option<String> {
    let of_day = books.movements.iter().filter(|line| beijing(line.at_s).starts_with(day));
    let rows: Vec<(&Movement, String)> =
        of_day.filter_map(|line| Some((line, row(line)?))).collect();
    let sum = |kind| -> i64 {
        rows.iter().filter(|(line, _)| line.kind == kind).map(|(line, _)| line.amount).sum()
    };
    let (taken, given) = (yuan(sum(MovementKind::Capture)), yuan(sum(MovementKind::Refund)));
    let count = rows.len();
    let totals = format!("`{count},`{taken},`{given},`0.00,`0.00000,`{taken},`{given}");
    let lines = rows.iter().map(|(_, row)| row.as_str());
    let all: Vec<&str> = [COLUMNS].into_iter().chain(lines).chain([TOTALS, &totals]).collect();
    (count > 0).then(|| format!("\u{feff}{}\r\n", all.join("\r\n")))
}

fn row(line: &Movement) -> Option<String> {
    let at = beijing(line.at_s);
    let at = format!("{} {}", at.get(..10)?, at.get(11..19)?);
    let amount = yuan(line.amount);
    let Movement { reference, payment, key, currency, .. } = line;
    // 0.6 % of fen, in yuan with five places: six hundred-thousandths of a yuan a fen.
    let fee = line.amount * 6;
    let fee = |sign: &str| format!("{sign}{}.{:05}", fee / 100_000, fee % 100_000);
    let text = match line.kind {
        MovementKind::Capture => {
            format!(
                "{at}|wx|1900000001|0||{reference}|{key}|openid|NATIVE|SUCCESS|OTHERS|{currency}|\
                 {amount}|0.00|0|0|0.00|0.00|||goods||{}|0.60%|{amount}|0.00|",
                fee("")
            )
        }
        MovementKind::Refund => {
            format!(
                "{at}|wx|1900000001|0||{payment}|{payment}|openid|NATIVE|REFUND|OTHERS|{currency}|\
                 0.00|0.00|{reference}|{key}|{amount}|0.00|ORIGINAL|SUCCESS|goods||{}|0.60%|0.00|\
                 {amount}|",
                fee("-")
            )
        }
        _ => return None,
    };
    let cells: Vec<String> = text.split('|').map(|cell| format!("`{cell}")).collect();
    Some(cells.join(","))
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
