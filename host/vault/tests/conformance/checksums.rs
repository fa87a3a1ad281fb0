//! The CRC catalogue, and the LRC of two terminal protocols.

use vault::{Error, crc, lrc};

const CATALOGUE: &str = include_str!("crc_catalogue.txt");

#[test]
fn every_crc_of_the_catalogue_up_to_64_bits_gives_its_check_value() {
    let mut checked = 0;
    for line in CATALOGUE.lines().filter(|line| !line.starts_with('#')) {
        let (model, check) = line.split_once(' ').unwrap();
        if model == "CRC-82/DARC" {
            assert!(matches!(crc(model, b""), Err(Error::BadInput(_))));
            continue;
        }
        let check = u64::from_str_radix(check, 16).unwrap();
        assert_eq!(crc(model, b"123456789"), Ok(check), "{model}");
        checked += 1;
    }
    assert_eq!(checked, 112);
}

#[test]
fn the_check_of_emvco_merchant_qr_codes_is_crc_16_ibm_3740() {
    assert_eq!(crc("CRC-16/IBM-3740", b"123456789"), Ok(0x29B1));
}

#[test]
fn a_crc_is_found_by_its_exact_name_alone() {
    for name in ["", "CRC-16", "crc-16/ibm-3740", "CRC_16_IBM_3740", "CRC-16/IBM_3740"] {
        assert!(matches!(crc(name, b"1"), Err(Error::BadInput(_))), "{name}");
    }
    for name in [
        "CRC-16-IBM/3740",
        "CRC-16_IBM/3740",
        "CRC-16/IBM/3740",
        "CRC-16/CCITT-FALSE",
        "CRC-16/IBM-3740 ",
    ] {
        assert!(matches!(crc(name, b"1"), Err(Error::BadInput(_))), "{name}");
    }
}

#[test]
fn the_lrc_of_ecr17_starts_from_0x7f_and_ends_with_etx() {
    assert_eq!(lrc(0x7F, &[0x06, 0x03]), 0x7A);
    assert_eq!(lrc(0x7F, &[0x15, 0x03]), 0x69);
}

#[test]
fn an_lrc_is_the_exclusive_or_of_its_bytes() {
    assert_eq!(lrc(0, b""), 0);
    assert_eq!(lrc(0x7F, b""), 0x7F);
    assert_eq!(lrc(0, b"AB\x03"), b'A' ^ b'B' ^ 3);
    assert_eq!(lrc(lrc(0x7F, b"12"), b"34"), lrc(0x7F, b"1234"));
}
