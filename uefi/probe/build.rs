//! Image version 1.0 in the PE header: systemd's stub starts nothing older as a kernel, and the tests let it start the
//! probe in a kernel's place.

fn main() {
    println!("cargo::rustc-link-arg-bins=/version:1.0");
    println!("cargo::rerun-if-changed=build.rs");
}
