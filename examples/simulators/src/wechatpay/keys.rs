//! The keys both sides need, made for tests: no real merchant ever had them.
//!
//! The file names are those of WeChat Pay's own downloads where it has one.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use rcgen::{
    CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize, SerialNumber, date_time_ymd,
};

use crate::identifiers;

/// Why keys could not be made, read or written.
#[derive(Debug, thiserror::Error)]
#[error("test keys: {what}")]
pub struct KeyError {
    what: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl KeyError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    fn because<E>(what: &str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let what = what.to_owned();
        move |error| Self { what, source: Some(Box::new(error)) }
    }
}

/// A merchant's keys and the platform's, as PEM texts.
#[derive(Clone, PartialEq, Eq)]
pub struct WechatpayKeys {
    /// The merchant's number.
    pub mchid: String,
    /// The merchant's private key (PKCS #8), which signs requests.
    pub merchant_key: String,
    /// The merchant's certificate.
    pub merchant_certificate: String,
    /// Its serial number: upper-case hexadecimal.
    pub merchant_serial: String,
    /// The platform's private key. Only the simulator has a use for it.
    pub platform_key: String,
    /// The platform's certificate.
    pub platform_certificate: String,
    /// Its serial number: upper-case hexadecimal.
    pub platform_serial: String,
    /// The private half of the platform's public key. Only the simulator has a use for it.
    pub public_key_secret: String,
    /// The platform's public key, which replaces the certificate for newer merchants.
    pub public_key: String,
    /// Its identifier, `PUB_KEY_ID_…`.
    pub public_key_id: String,
    /// The APIv3 key: 32 characters, used as bytes.
    pub api_v3_key: String,
}

const README: &str = "README.txt";
const NOTE: &str = "TEST KEYS of the WeChat Pay simulator. They protect nothing.\n\
    \n\
    The host needs: mchid.txt, apiclient_key.pem, apiclient_serial.txt, apiv3_key.txt, and either\n\
    platform_cert.pem with platform_serial.txt, or pub_key.pem with pub_key_id.txt.\n\
    Only the simulator needs: platform_key.pem, pub_key_secret.pem.\n";

impl WechatpayKeys {
    /// Makes keys for a merchant. Takes a few hundred milliseconds.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub fn generate(mchid: &str) -> Result<Self, KeyError> {
        let (merchant_key, merchant_certificate, merchant_serial) = certified("TEST merchant")?;
        let (platform_key, platform_certificate, platform_serial) =
            certified("TEST Tenpay.com platform")?;
        let public = rsa_pair()?;
        Ok(Self {
            mchid: mchid.to_owned(),
            merchant_key,
            merchant_certificate,
            merchant_serial,
            platform_key,
            platform_certificate,
            platform_serial,
            public_key_secret: public.serialize_pem(),
            public_key: public.public_key_pem(),
            public_key_id: identifiers::digits("PUB_KEY_ID_", 28),
            api_v3_key: identifiers::alphanumeric("", 32),
        })
    }

    /// Reads keys that [`WechatpayKeys::write`] wrote.
    ///
    /// # Errors
    /// When a file is missing or unreadable.
    pub fn read(folder: &Path) -> Result<Self, KeyError> {
        let text = |name: &str| {
            let what = format!("cannot read {}", folder.join(name).display());
            fs::read_to_string(folder.join(name)).map_err(KeyError::because(&what))
        };
        let line = |name: &str| text(name).map(|line| line.trim().to_owned());
        Ok(Self {
            mchid: line("mchid.txt")?,
            merchant_key: text("apiclient_key.pem")?,
            merchant_certificate: text("apiclient_cert.pem")?,
            merchant_serial: line("apiclient_serial.txt")?,
            platform_key: text("platform_key.pem")?,
            platform_certificate: text("platform_cert.pem")?,
            platform_serial: line("platform_serial.txt")?,
            public_key_secret: text("pub_key_secret.pem")?,
            public_key: text("pub_key.pem")?,
            public_key_id: line("pub_key_id.txt")?,
            api_v3_key: line("apiv3_key.txt")?,
        })
    }

    /// Writes the keys into a folder, which is made if need be; only the owner may read them.
    ///
    /// # Errors
    /// When a file exists already or cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), KeyError> {
        let what = format!("cannot write into {}", folder.display());
        let files: [(&str, &str); 12] = [
            (README, NOTE),
            ("mchid.txt", &self.mchid),
            ("apiclient_key.pem", &self.merchant_key),
            ("apiclient_cert.pem", &self.merchant_certificate),
            ("apiclient_serial.txt", &self.merchant_serial),
            ("platform_key.pem", &self.platform_key),
            ("platform_cert.pem", &self.platform_certificate),
            ("platform_serial.txt", &self.platform_serial),
            ("pub_key_secret.pem", &self.public_key_secret),
            ("pub_key.pem", &self.public_key),
            ("pub_key_id.txt", &self.public_key_id),
            ("apiv3_key.txt", &self.api_v3_key),
        ];
        fs::create_dir_all(folder).map_err(KeyError::because(&what))?;
        for (name, text) in files {
            write_private(&folder.join(name), text).map_err(KeyError::because(&what))?;
        }
        Ok(())
    }
}

impl fmt::Debug for WechatpayKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WechatpayKeys")
            .field("mchid", &self.mchid)
            .field("merchant_serial", &self.merchant_serial)
            .field("platform_serial", &self.platform_serial)
            .field("public_key_id", &self.public_key_id)
            .finish_non_exhaustive()
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())
}

fn rsa_pair() -> Result<KeyPair, KeyError> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
        .map_err(KeyError::because("cannot make an RSA key"))
}

/// A key, its self-signed certificate, and the certificate's serial number.
fn certified(name: &str) -> Result<(String, String, String), KeyError> {
    let pair = rsa_pair()?;
    let mut serial = identifiers::bytes(20);
    if let Some(first) = serial.first_mut() {
        // Positive, and of full length as hexadecimal.
        *first = (*first & 0x3f) | 0x40;
    }
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2045, 1, 1);
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "Test keys of a simulator");
    let certificate =
        params.self_signed(&pair).map_err(KeyError::because("cannot make a certificate"))?;
    Ok((pair.serialize_pem(), certificate.pem(), hex::encode_upper(&serial)))
}

/// The validity of the certificates above, as the certificate list tells it.
pub(crate) const EFFECTIVE: (&str, &str) =
    ("2020-01-01T08:00:00+08:00", "2045-01-01T08:00:00+08:00");
