//! What the plugin asks for, and what it answers a delivery.

use sdk::prelude::*;
use stripe::Stripe;

#[test]
fn the_api_key_may_travel_in_the_authorization_header_alone() {
    let description = Stripe::describe();
    let [secret] = description.secrets.as_slice() else { panic!("{:?}", description.secrets) };
    assert_eq!(secret.name, "api-key");
    assert_eq!(secret.places, [Place::Header("authorization".to_owned())]);
    assert!(secret.required);
}

#[test]
fn no_legacy_primitive_and_no_other_host_is_asked_for() {
    let description = Stripe::describe();
    assert!(description.legacy.is_empty());
    assert_eq!(description.hosts, ["api.stripe.com"]);
}

#[test]
fn stripe_is_asked_to_repeat_what_was_not_accepted() {
    assert_eq!(Stripe::acknowledge(true).status, 200);
    assert!(!(200..300).contains(&Stripe::acknowledge(false).status));
}
