//! Digests of texts and files.
//!
//! Not for secrets: `bcrypt` and `rsadecrypt` stay unknown. Invariant: a digest of a partly known text
//! is unknown.

use super::collection::first;
use super::{Call, Function, Kind, MANY, Outcome, Stop, Takes, function};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use overgrant_value::Val;
use sha2::Digest as _;
use std::fmt::Write as _;

pub(super) const TABLE: &[Function] = &[
    function("md5", (1, 1), Kind::String, Takes::Known, |c, a| {
        hex(c, a, false, Algorithm::Md5)
    }),
    function("sha1", (1, 1), Kind::String, Takes::Known, |c, a| {
        hex(c, a, false, Algorithm::Sha1)
    }),
    function("sha256", (1, 1), Kind::String, Takes::Known, |c, a| {
        hex(c, a, false, Algorithm::Sha256)
    }),
    function("sha512", (1, 1), Kind::String, Takes::Known, |c, a| {
        hex(c, a, false, Algorithm::Sha512)
    }),
    function(
        "base64sha256",
        (1, 1),
        Kind::String,
        Takes::Known,
        |c, a| encoded(c, a, false, Algorithm::Sha256),
    ),
    function(
        "base64sha512",
        (1, 1),
        Kind::String,
        Takes::Known,
        |c, a| encoded(c, a, false, Algorithm::Sha512),
    ),
    function("filemd5", (1, 1), Kind::String, Takes::Known, |c, a| {
        hex(c, a, true, Algorithm::Md5)
    }),
    function("filesha1", (1, 1), Kind::String, Takes::Known, |c, a| {
        hex(c, a, true, Algorithm::Sha1)
    }),
    function("filesha256", (1, 1), Kind::String, Takes::Known, |c, a| {
        hex(c, a, true, Algorithm::Sha256)
    }),
    function("filesha512", (1, 1), Kind::String, Takes::Known, |c, a| {
        hex(c, a, true, Algorithm::Sha512)
    }),
    function(
        "filebase64sha256",
        (1, 1),
        Kind::String,
        Takes::Known,
        |c, a| encoded(c, a, true, Algorithm::Sha256),
    ),
    function(
        "filebase64sha512",
        (1, 1),
        Kind::String,
        Takes::Known,
        |c, a| encoded(c, a, true, Algorithm::Sha512),
    ),
    function("uuidv5", (2, 2), Kind::String, Takes::Known, uuidv5),
    function("uuid", (0, 0), Kind::String, Takes::Known, |_, _| {
        Err(Stop::Open)
    }),
    function("bcrypt", (1, MANY), Kind::String, Takes::Known, |_, _| {
        Err(Stop::Open)
    }),
    function("rsadecrypt", (2, 2), Kind::String, Takes::Known, |_, _| {
        Err(Stop::Open)
    }),
];

#[derive(Clone, Copy)]
enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

fn digest(bytes: &[u8], algorithm: Algorithm) -> Vec<u8> {
    match algorithm {
        Algorithm::Md5 => md5::Md5::digest(bytes).to_vec(),
        Algorithm::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
        Algorithm::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
        Algorithm::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
    }
}

fn input(
    call: &Call<'_, '_>,
    args: &[Val],
    file: bool,
    algorithm: Algorithm,
) -> Result<Vec<u8>, Stop> {
    let text = call.string(&first(args)?)?;
    let bytes = if file {
        match super::files::content(call, &text) {
            // Terraform digests any bytes; here only texts are read.
            Err(Stop::Fail(fail)) if fail.message.contains("UTF-8") => return Err(Stop::Open),
            read => read?,
        }
    } else {
        text.to_string()
    };
    Ok(digest(bytes.as_bytes(), algorithm))
}

fn hex(call: &Call<'_, '_>, args: &[Val], file: bool, algorithm: Algorithm) -> Outcome {
    let mut out = String::new();
    for byte in input(call, args, file, algorithm)? {
        let _ = write!(out, "{byte:02x}");
    }
    Ok(call.known(&out))
}

fn encoded(call: &Call<'_, '_>, args: &[Val], file: bool, algorithm: Algorithm) -> Outcome {
    let bytes = input(call, args, file, algorithm)?;
    Ok(call.known(&STANDARD.encode(bytes)))
}

/// RFC 9562, section 5.5, with the well-known namespaces by name.
fn uuidv5(call: &Call<'_, '_>, args: &[Val]) -> Outcome {
    let [space, name] = args else {
        return Err("two arguments are needed".into());
    };
    let (space, name) = (call.string(space)?, call.string(name)?);
    let space = match space.as_str() {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let digits: String = space.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).map_err(|_| "the namespace is not a UUID")?;
    if digits.len() != 32 {
        return Err("the namespace is not a UUID".into());
    }
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend_from_slice(name.as_bytes());
    let hash = digest(&bytes, Algorithm::Sha1);
    let first: [u8; 16] = hash
        .get(..16)
        .and_then(|part| part.try_into().ok())
        .ok_or(Stop::Open)?;
    let number = u128::from_be_bytes(first);
    let number = (number & !(0xf << 76)) | (5 << 76);
    let number = (number & !(0x3 << 62)) | (0x2 << 62);
    let text = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or("");
    Ok(call.known(&format!(
        "{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    )))
}
