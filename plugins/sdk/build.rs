//! Builds the contract anew when a file of `wit/` changes, or comes, or goes: the macro that reads
//! them tells cargo of none.

fn main() {
    println!("cargo::rerun-if-changed=../../wit");
    println!("cargo::rerun-if-changed=build.rs");
}
