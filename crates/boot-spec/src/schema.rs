//! The JSON schema, made from the same tables that the strict reader uses.

use crate::extension::{REGISTRY, Shape};
use crate::field::{Field, Kind, MAX_ITEMS, MAX_TEXT};
use crate::{Boot, BootV1, BootV2};
use serde_json::{Map, Value, json};

/// JSON schema (draft 2020-12) of both versions. It says what strict reading says, except for duplicate keys, the nesting of
/// specialisations, the length of the whole, and quotation marks inside parameters.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bootspec",
        "description": "What a system generation says about how it boots, version 1 or 2.",
        "oneOf": [
            { "$ref": "#/$defs/documentV2" },
            { "$ref": "#/$defs/documentV1" },
        ],
        "$defs": {
            "documentV1": document::<BootV1, BootV2>(),
            "documentV2": document::<BootV2, BootV1>(),
        },
    })
}

/// A document of version `B` without the keys of version `O`.
fn document<B: Boot, O: Boot>() -> Value {
    let mut properties = Map::new();
    properties.insert(B::KEY.to_owned(), object(B::FIELDS, "the system"));
    properties.insert(
        B::SPECIALISATIONS.to_owned(),
        json!({
            "description": "variants of the system, each a document of its own",
            "type": "object",
            "maxProperties": MAX_ITEMS,
            "propertyNames": { "pattern": "^[^/\\u0000-\\u001f\\u007f]{1,128}$" },
            "additionalProperties": { "$ref": format!("#/$defs/documentV{}", B::VERSION) },
        }),
    );
    for extension in REGISTRY {
        let shape = match extension.shape {
            Shape::Object(fields) => object(fields, extension.about),
            Shape::Map(kind) => json!({
                "description": extension.about,
                "type": "object",
                "maxProperties": MAX_ITEMS,
                "additionalProperties": value(kind),
            }),
        };
        properties.insert(extension.key.to_owned(), shape);
    }
    for key in [O::KEY, O::SPECIALISATIONS] {
        properties.insert(key.to_owned(), Value::Bool(false));
    }
    json!({
        "type": "object",
        "required": [B::KEY],
        "properties": properties,
        "patternProperties": { "\\.": { "not": { "type": "null" } } },
        "additionalProperties": false,
    })
}

fn object(fields: &[Field], about: &str) -> Value {
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut shape = value(field.kind);
            shape["description"] = field.about.into();
            (field.name.to_owned(), shape)
        })
        .collect();
    json!({
        "description": about,
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn value(kind: Kind) -> Value {
    let text =
        |pattern: &str| json!({ "type": "string", "maxLength": MAX_TEXT, "pattern": pattern });
    match kind {
        Kind::Text => text("^[^\\u0000\\n\\r]+$"),
        Kind::Platform => text("^[a-z0-9_]+-[a-z0-9_]+$"),
        Kind::Path => text("^/(?!(.*/)?\\.\\.(/|$))[^\\u0000\\n\\r]*$"),
        Kind::StorePath => text(
            "^/nix/store/[0-9abcdfghijklmnpqrsvwxyz]{32}-[0-9A-Za-z+_?=.-]{1,211}(/(?!(.*/)?\\.\\.(/|$))[^\\u0000\\n\\r]*)?$",
        ),
        Kind::StorePaths => {
            json!({ "type": "array", "maxItems": MAX_ITEMS, "items": value(Kind::StorePath) })
        }
        Kind::Words => {
            let word = text("^([^\\u0000\\n\\r \\t\"]|\"[^\\u0000\\n\\r\"]*\")+$");
            json!({ "type": "array", "maxItems": MAX_ITEMS, "items": word })
        }
        Kind::Number => json!({ "type": "integer", "minimum": 0 }),
        Kind::Sha256 => text("^[0-9a-f]{64}$"),
    }
}
