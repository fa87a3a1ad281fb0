use http::{HeaderMap, HeaderValue};

use super::{Error, check, of};

fn checked(lines: &[&str], body: &str) -> Result<(), Error> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("content-digest", HeaderValue::from_str(line).unwrap());
    }
    check(&headers, body.as_bytes())
}

const HELLO: &str = "{\"hello\": \"world\"}\n";
const SHA_256: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
const SHA_512: &str = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8Mj\
                       kM7iw7yZ/WkppmM44T3qg==:";
const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
const PART: &str = "sha-256=:jjcgBDWNAtbYUXI37CVG3gRuGOAjaaDRGpIUFsdyepQ=:";

#[test]
fn the_examples_of_rfc_9530_hold() {
    for (line, body) in [(SHA_256, HELLO), (SHA_512, HELLO), (EMPTY, ""), (PART, "\"world\"}\n")] {
        assert_eq!(checked(&[line], body), Ok(()), "{line}");
    }
    assert_eq!(checked(&[SHA_256, SHA_512], HELLO), Ok(()));
    assert_eq!(checked(&[], HELLO), Ok(()));
    assert_eq!(of(HELLO.as_bytes()), SHA_256);
    assert_eq!(of(b""), EMPTY);
}

#[test]
fn every_known_algorithm_must_hold_and_one_must_be_known() {
    let other = "sha-512=:AAAA:";
    assert_eq!(checked(&[SHA_256, other], HELLO), Err(Error::Mismatch("sha-512")));
    assert_eq!(checked(&[EMPTY, SHA_512], HELLO), Err(Error::Mismatch("sha-256")));
    assert_eq!(checked(&[SHA_256], "{}"), Err(Error::Mismatch("sha-256")));
    assert_eq!(checked(&["md5=:AAAA:"], HELLO), Err(Error::Unknown));
    assert_eq!(checked(&["md5=:AAAA:", SHA_256], HELLO), Ok(()));
    for wrong in ["sha-256=AAAA", "sha-256=(:AAAA:)", "sha-256", "SHA-256=:AAAA:", "sha-256=:A:"] {
        assert!(matches!(checked(&[wrong], HELLO), Err(Error::Malformed(_))), "{wrong}");
    }
    assert!(matches!(checked(&[SHA_256, SHA_256], HELLO), Err(Error::Malformed(_))));
}
