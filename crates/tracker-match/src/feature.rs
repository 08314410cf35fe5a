//! Features: what speaks for and against a claim meaning a family, each with the sentence that is shown.
//!
//! Invariant: a feature's name is stable, because weights files and stored reasons use it; none looks at patches,
//! known vulnerabilities or decisions, from which the labels come that weights are fitted to.

use std::fmt;

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A yes-or-no statement about a claim and a family.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Feature { $($(#[$doc])* $variant,)* }

        impl Feature {
            /// All of them.
            pub const ALL: &'static [Feature] = &[$(Feature::$variant,)*];

            /// Its stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Feature::$variant => $name,)* }
            }
        }
    };
}

features! {
    /// The claim's name is the family's own.
    NameEquals = "name-equals",
    /// The claim's name is that of a member or its attribute.
    MemberEquals = "member-equals",
    /// They differ in separators only.
    SqueezedEquals = "squeezed-equals",
    /// They differ by an affix such as `lib` or `-server`.
    StemEquals = "stem-equals",
    /// Vendor and product together are the name.
    VendorProductEquals = "vendor-product-equals",
    /// The family's name begins with the claim's, at a dash.
    NameBegins = "name-begins",
    /// The claim's name ends with the family's, at a dash.
    NameEnds = "name-ends",
    /// The initials of the claim's words are the family's name.
    Initials = "initials",
    /// The names are only near each other, and no address or release bears it out.
    NearUnproved = "near-unproved",
    /// The name is equal, but the package has addresses, none of which bears it out, and the vendor is another project.
    ExactUnproved = "exact-unproved",
    /// The same, and the name is short, an everyday word or several makers' own.
    WeakUnproved = "weak-unproved",
    /// The claim's name begins with a maker who stands in the package's addresses.
    MakerInName = "maker-in-name",
    /// The family has home page and version in common with one that the claim names.
    SameRelease = "same-release",
    /// The family is defined in one folder with the one that the claim names.
    SameRecipe = "same-recipe",
    /// Another distribution's package of the claim's name is this family, by rules that the operator gave.
    Sibling = "sibling",
    /// What was decided to be this family has a package of its own: this one contains it, or shares its code.
    Component = "component",
    /// It was learned from decisions that this vendor's product is this family.
    Alias = "alias",
    /// It was learned that this vendor's product is another family; the name leads here, and the vendor does not.
    DecidedElsewhere = "decided-elsewhere",
    /// The package itself states this CPE.
    StatedCpe = "stated-cpe",
    /// The package itself states this package URL.
    StatedPurl = "stated-purl",
    /// The package comes from the repository that the claim names, under another name.
    RepositoryName = "repository-name",
    /// The name stands in a CPE.
    FromCpe = "from-cpe",
    /// The name is a package's in its ecosystem.
    FromPackage = "from-package",
    /// The name is a CNA's product.
    FromProduct = "from-product",
    /// The name is a repository's.
    FromRepository = "from-repository",
    /// Claims of two sources lead to this family.
    TwoSources = "two-sources",
    /// Vendor and product are the same project.
    VendorIsProduct = "vendor-is-product",
    /// The vendor is found in the package's addresses.
    VendorInAddress = "vendor-in-address",
    /// The package has addresses, and the vendor is in none of them.
    VendorElsewhere = "vendor-elsewhere",
    /// The package's addresses are not known, and the vendor is not called like it.
    VendorUnchecked = "vendor-unchecked",
    /// The vendor sells many products, few of which anybody may package.
    VendorCommercial = "vendor-commercial",
    /// Such a vendor, who stands in none of the package's addresses.
    CommercialElsewhere = "commercial-elsewhere",
    /// The claim names no vendor.
    VendorAbsent = "vendor-absent",
    /// The package's addresses are not known.
    AddressUnknown = "address-unknown",
    /// A reference leads to the package's own repository.
    SameRepository = "same-repository",
    /// A reference leads to the package's own site.
    SameSite = "same-site",
    /// References lead to other repositories of that name.
    OtherRepository = "other-repository",
    /// The claim's world is the package set's.
    WorldAgrees = "world-agrees",
    /// The claim lives in a world of plugins or devices that the package is not of.
    WorldForeign = "world-foreign",
    /// The claim lives in a language's world, the package at the top level.
    WorldLanguage = "world-language",
    /// The claim is of a language that programs are built with, the package at the top level.
    WorldProgram = "world-program",
    /// The package belongs to a set of a world, and the claim to another one.
    WorldConflicts = "world-conflicts",
    /// The package belongs to a set of a world, and the claim names none.
    SetAlone = "set-alone",
    /// No language is named, and the set is of one whose packages hardly any vulnerability is about.
    SetSeldomMeant = "set-seldom-meant",
    /// The package is an extension of another program, and the claim does not say that it is about one.
    Extension = "extension",
    /// A package of the same name stands at the top level, this one in a set.
    SetBesideTop = "set-beside-top",
    /// The package in a set has its version in common with the one of its name at the top level.
    TwinOfTop = "twin-of-top",
    /// The CPE is of hardware.
    PartHardware = "part-hardware",
    /// The CPE is of an operating system.
    PartSystem = "part-system",
    /// The CPE is of an operating system whose vendor is not the package's.
    SystemOfOther = "system-of-other",
    /// A package outside of the set has the name, and no language is named: this one binds it to a language.
    Binding = "binding",
    /// The package is of a language's set, and describes itself as bindings to something.
    DescribedBinding = "described-as-binding",
    /// What follows the claim's name in the package's says that it is data, or goes with the program.
    Companion = "companion",
    /// The name is short or an everyday word.
    WeakName = "weak-name",
    /// Products of three or more makers are known by the name.
    SeveralMakers = "several-makers",
    /// More than three families answer to the name.
    Ambiguous = "ambiguous",
    /// The vulnerability's text names the family.
    TextNames = "text-names",
    /// The vulnerability's text does not name the family.
    TextSilent = "text-silent",
    /// The vulnerability names more than ten products.
    ManyProducts = "many-products",
    /// Versions named begin like the package's.
    VersionNear = "version-near",
    /// Versions named are numbered in another way than the package's.
    VersionFar = "version-far",
    /// It concerns a hosted service.
    Hosted = "hosted",
    /// The claim's own name equals another family's, this one is only near.
    BetterElsewhere = "better-elsewhere",
    /// The package's description shares words with the vulnerability's text.
    DescriptionShared = "description-shared",
}

const _: () = assert!(
    Feature::ALL.len() <= u64::BITS as usize,
    "a feature is a bit of a set"
);

/// A set of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Features(u64);

impl Features {
    /// Adds a feature where a condition holds.
    pub fn set(&mut self, feature: Feature, holds: bool) {
        if holds {
            self.0 |= 1 << feature as u8;
        }
    }

    /// Whether a feature is in the set.
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u8) != 0
    }

    /// The features of either set.
    #[must_use]
    pub const fn and(self, other: Features) -> Features {
        Features(self.0 | other.0)
    }

    /// The features, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let first = rest.trailing_zeros() as usize;
            // The lowest bit goes; of none, none is left.
            rest &= rest.wrapping_sub(1);
            Feature::ALL.get(first).copied()
        })
    }
}

/// What a reason's sentence is made of.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The claim's name as written.
    pub name: &'a str,
    /// Its vendor.
    pub vendor: Option<&'a str>,
    /// Its world.
    pub world: Option<&'a str>,
    /// Where the claim stands (`product of the CNA`).
    pub place: &'a str,
    /// The family.
    pub family: &'a str,
}

impl Feature {
    /// The sentence that is shown.
    pub fn sentence(self, context: Context<'_>) -> Sentence<'_> {
        Sentence(self, context)
    }
}

/// A sentence to be formatted.
#[derive(Debug, Clone, Copy)]
pub struct Sentence<'a>(Feature, Context<'a>);

impl fmt::Display for Sentence<'_> {
    #[expect(
        clippy::too_many_lines,
        reason = "one sentence a feature, nothing else"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Context {
            name,
            vendor,
            world,
            place,
            family,
        } = self.1;
        let vendor = vendor.unwrap_or("no vendor");
        let world = world.unwrap_or("no ecosystem");
        match self.0 {
            Feature::NameEquals => write!(f, "{place} “{name}” is the name of {family}"),
            Feature::MemberEquals => {
                write!(f, "{place} “{name}” is the name of a member of {family}")
            }
            Feature::SqueezedEquals => write!(f, "{place} “{name}” is {family}, separators aside"),
            Feature::StemEquals => write!(f, "{place} “{name}” is {family}, an affix aside"),
            Feature::VendorProductEquals => write!(
                f,
                "vendor and product, “{vendor} {name}”, are the name of {family}"
            ),
            Feature::NameBegins => write!(f, "the name {family} begins with {place} “{name}”"),
            Feature::NameEnds => write!(f, "{place} “{name}” ends with the name {family}"),
            Feature::Initials => write!(f, "the initials of {place} “{name}” are {family}"),
            Feature::NearUnproved => write!(
                f,
                "the names “{name}” and {family} are only near, and no address bears it out"
            ),
            Feature::ExactUnproved => write!(
                f,
                "only the name “{name}” leads here: no address of the package bears it out"
            ),
            Feature::WeakUnproved => write!(
                f,
                "“{name}” could be anything’s name, and nothing bears out that {family} is meant"
            ),
            Feature::MakerInName => write!(
                f,
                "“{name}” begins with a maker who stands in the package's addresses"
            ),
            Feature::SameRecipe => write!(
                f,
                "{family} is defined in one folder with the package that is called “{name}”"
            ),
            Feature::SameRelease => write!(
                f,
                "home page and version are those of another package, which is called “{name}”"
            ),
            Feature::Sibling => write!(
                f,
                "other distributions call {family} “{name}”, by the rules given"
            ),
            Feature::Component => write!(
                f,
                "“{name}” has a package of its own: {family} contains it, or shares its code"
            ),
            Feature::Alias => write!(
                f,
                "“{vendor} {name}” has been decided to be {family} before"
            ),
            Feature::DecidedElsewhere => write!(
                f,
                "“{vendor} {name}” has been decided to be another package before"
            ),
            Feature::StatedCpe => write!(f, "{family} states the CPE of “{vendor} {name}” itself"),
            Feature::StatedPurl => write!(f, "{family} states the package URL of “{name}” itself"),
            Feature::RepositoryName => write!(f, "{family} comes from the repository of “{name}”"),
            Feature::FromCpe => f.write_str("the name stands in a CPE"),
            Feature::FromPackage => f.write_str("the name is a package's in its ecosystem"),
            Feature::FromProduct => f.write_str("the name is a product of the CNA"),
            Feature::FromRepository => f.write_str("the name is a repository's"),
            Feature::TwoSources => f.write_str("two sources lead here"),
            Feature::VendorIsProduct => write!(f, "the vendor “{vendor}” is the project itself"),
            Feature::VendorInAddress => {
                write!(f, "the vendor “{vendor}” stands in the package's addresses")
            }
            Feature::VendorElsewhere => write!(
                f,
                "the vendor “{vendor}” stands in none of the package's addresses"
            ),
            Feature::VendorUnchecked => write!(
                f,
                "the vendor “{vendor}” cannot be checked: the package's addresses are not known"
            ),
            Feature::VendorCommercial => write!(
                f,
                "the vendor “{vendor}” sells many products, few of which anybody may package"
            ),
            Feature::CommercialElsewhere => write!(
                f,
                "the vendor “{vendor}”, who sells many products, stands in none of the package's addresses"
            ),
            Feature::VendorAbsent => f.write_str("no vendor is named"),
            Feature::AddressUnknown => f.write_str("the package's addresses are not known"),
            Feature::SameRepository => {
                f.write_str("a reference leads to the package's own repository")
            }
            Feature::SameSite => f.write_str("a reference leads to the package's own site"),
            Feature::OtherRepository => {
                write!(f, "references lead to another repository named “{name}”")
            }
            Feature::WorldAgrees => write!(f, "both are of the world of {world}"),
            Feature::WorldForeign => write!(
                f,
                "it is about something for {world}, which the package is not"
            ),
            Feature::WorldLanguage => write!(
                f,
                "it is about a library for {world}, the package is a program"
            ),
            Feature::WorldProgram => write!(f, "it is about something in the language {world}"),
            Feature::WorldConflicts => write!(
                f,
                "it is about something for {world}, the package belongs to another world"
            ),
            Feature::SetAlone => {
                f.write_str("the package belongs to a language's set, and no language is named")
            }
            Feature::Extension => f.write_str(
                "the package extends another program, which the vulnerability does not speak of",
            ),
            Feature::SetBesideTop => {
                f.write_str("a package of this name stands outside of the language's set")
            }
            Feature::TwinOfTop => {
                f.write_str("a package of this name and version stands outside of the set")
            }
            Feature::SetSeldomMeant => f.write_str(
                "hardly any vulnerability is about a package of this language, and it names none",
            ),
            Feature::PartHardware => f.write_str("it is about hardware"),
            Feature::PartSystem => f.write_str("it is about an operating system or firmware"),
            Feature::SystemOfOther => write!(
                f,
                "it is about an operating system of “{vendor}”, who does not make the package"
            ),
            Feature::Binding => {
                f.write_str("the package binds to a language what another package of this name is")
            }
            Feature::DescribedBinding => {
                f.write_str("the package describes itself as bindings to something else")
            }
            Feature::Companion => write!(f, "{family} goes with “{name}”, by what its name adds"),
            Feature::WeakName => write!(f, "“{name}” is short or an everyday word"),
            Feature::SeveralMakers => write!(f, "products of several makers are called “{name}”"),
            Feature::Ambiguous => write!(f, "several packages answer to “{name}”"),
            Feature::TextNames => f.write_str("the text names the package"),
            Feature::TextSilent => f.write_str("the text does not name the package"),
            Feature::ManyProducts => f.write_str("it names many products"),
            Feature::VersionNear => f.write_str("the versions named are of the package's line"),
            Feature::VersionFar => {
                f.write_str("the versions named are numbered otherwise than the package's")
            }
            Feature::Hosted => f.write_str("it is about a hosted service"),
            Feature::BetterElsewhere => write!(f, "a package is called “{name}”, separators aside"),
            Feature::DescriptionShared => {
                f.write_str("its text and the package's description share words")
            }
        }
    }
}
