//! The table of closed addresses, by example and at the edges of each block.

use super::closed;

const CLOSED: &str = "
    0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.100.100.200
    100.127.255.255 127.0.0.1 127.0.0.53 127.255.255.255 168.63.129.16 169.254.0.1 169.254.169.254
    169.254.170.2 172.16.0.0 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1
    192.52.193.1 192.88.99.1 192.168.0.0 192.168.1.1 192.168.255.255 192.175.48.1 198.18.0.1
    198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
    ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254
    64:ff9b::192.168.0.1 64:ff9b:1::1 64:ff9b:1::8.8.8.8 100::1 100:0:0:1::1 2001::1
    2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1
    2001:db8::1
    2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:7f00:1::1 2002:a00:1::1 2002:a9fe:a9fe::1
    2002:808:808::1 2620:4f:8000::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 fc00::1 fd00::1
    fd00:ec2::254 fd12:3456:789a::1 fdff:ffff::1 fe80::1 fe80::a9fe:a9fe febf::1 fec0::1 ff02::1
    ff05::1:3 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
";

const OPEN: &str = "
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 52.1.2.3 99.255.255.255 100.63.255.255 100.128.0.0
    126.255.255.255 128.0.0.1 168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255
    172.32.0.0 192.0.1.1 192.0.3.1 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.1
    198.51.101.1 203.0.112.1 203.0.114.1 223.255.255.255 2000::1 2001:200::1 2001:4860:4860::8888
    2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700:4700::1111 2620:4f:8001::1 2a00:1450::1 3ffe::1
    3fff:1000::1 64:ff9b::8.8.8.8
";

#[test]
fn addresses_off_the_public_internet_are_closed() {
    let mut count = 0;
    for text in CLOSED.split_whitespace() {
        assert!(closed(text.parse().expect(text)).is_some(), "{text} is taken for public");
        count += 1;
    }
    assert!(count >= 80, "{count} forms");
}

#[test]
fn public_addresses_right_beside_closed_ones_are_open() {
    for text in OPEN.split_whitespace() {
        assert_eq!(closed(text.parse().expect(text)), None, "{text}");
    }
}

#[test]
fn a_refusal_says_what_the_address_is_for() {
    let why = |text: &str| closed(text.parse().expect(text)).expect(text);
    assert_eq!(why("127.0.0.1"), "loopback");
    assert_eq!(why("64:ff9b::7f00:1"), "loopback");
    assert_eq!(why("fd00:ec2::254"), "private, with metadata services");
    assert_eq!(why("4000::1"), "outside global unicast");
}
