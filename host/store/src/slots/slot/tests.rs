use super::*;

const ID: StoreId = StoreId([7; 16]);

fn slot() -> Slot {
    Slot { written: 3, name: "card_1".to_owned(), value: vec![9; VALUE_BYTES_MAX] }
}

#[test]
fn a_slot_is_read_as_it_was_written_and_in_no_other_place_or_file() {
    let bytes = slot().to_bytes(&ID, 5);
    assert_eq!(bytes.len(), SLOT_BYTES);
    assert_eq!(Slot::find(&bytes, &ID, 5), Found::Held(slot()));
    assert_eq!(Slot::find(&bytes, &ID, 6), Found::Torn);
    assert_eq!(Slot::find(&bytes, &StoreId([8; 16]), 5), Found::Torn);
    assert_eq!(Slot::find(&[0; SLOT_BYTES], &ID, 5), Found::Free);
}

#[test]
fn no_slot_with_a_changed_bit_is_read() {
    let good = slot().to_bytes(&ID, 5);
    for bit in 0..good.len() * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Slot::find(&changed, &ID, 5), Found::Torn, "bit {bit}");
    }
}

#[test]
fn a_head_names_its_file_and_nothing_else_is_one() {
    let good = head(&ID);
    assert_eq!(read_head(&good), Some(ID));
    for byte in 0..16 + 16 + 4 {
        let mut changed = good.clone();
        changed[byte] ^= 1;
        assert_eq!(read_head(&changed), None, "byte {byte}");
    }
    assert_eq!(read_head(&[0; SLOT_BYTES]), None);
}
