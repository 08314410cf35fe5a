# A small stand-in of Nixpkgs' module system, for evaluating our modules where Nixpkgs is not.
#
# It knows what our modules use: options with types and defaults, mkIf, mkMerge, mkDefault, mkForce, and merging of
# definitions. Two definitions of equal weight that differ are an error, as is a value of another type, or a setting
# under a declared option's set that none declares. Options of NixOS itself (systemd, nginx, …) are not declared here:
# whatever is set there is merged and returned, but a module cannot read it.
rec {
  isType = type: value: builtins.isAttrs value && (value._type or null) == type;

  lib = rec {
    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkMerge = contents: { _type = "merge"; inherit contents; };
    mkOverride = priority: content: { _type = "override"; inherit priority content; };
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
    mkOption = option: option // { _type = "option"; };
    mkEnableOption = name: mkOption {
      type = types.bool;
      default = false;
      description = "Whether to enable ${name}.";
    };
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    optionalString = condition: text: if condition then text else "";
    concatStringsSep = builtins.concatStringsSep;
    concatMapStringsSep = separator: f: list: builtins.concatStringsSep separator (map f list);
    mapAttrsToList = f: set: map (name: f name set.${name}) (builtins.attrNames set);
    escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
    escapeShellArgs = texts: builtins.concatStringsSep " " (map escapeShellArg texts);
    getExe = package: "${package}/bin/${package.meta.mainProgram or package.pname}";
    types = rec {
      basic = name: check: { inherit name check; deep = false; };
      bool = basic "boolean" builtins.isBool;
      int = basic "integer" builtins.isInt;
      str = basic "string" builtins.isString;
      lines = str;
      path = basic "path" (value: builtins.isPath value || (builtins.isString value && builtins.substring 0 1 value == "/"));
      package = basic "package" (value: builtins.isAttrs value && value ? outPath);
      port = basic "port" (value: builtins.isInt value && value >= 0 && value <= 65535);
      ints.positive = basic "positive integer" (value: builtins.isInt value && value > 0);
      ints.unsigned = basic "natural number" (value: builtins.isInt value && value >= 0);
      enum = values: basic "one of ${builtins.toJSON values}" (value: builtins.elem value values);
      nullOr = type: type // { name = "null or ${type.name}"; check = value: value == null || type.check value; };
      listOf = type: basic "list of ${type.name}" (value: builtins.isList value && builtins.all type.check value);
      attrsOf = type: {
        name = "set of ${type.name}";
        check = value: builtins.isAttrs value && builtins.all type.check (builtins.attrValues value);
        deep = true;
      };
      anything = { name = "anything"; check = _: true; deep = true; };
    };
  };

  # All definitions in a value, as { path, priority, value } of its leaves.
  leaves = path: priority: value:
    if isType "if" value then (if value.condition then leaves path priority value.content else [ ])
    else if isType "merge" value then builtins.concatMap (leaves path priority) value.contents
    else if isType "override" value then leaves path value.priority value.content
    else if builtins.isAttrs value && !(value ? outPath) && value != { } then
      builtins.concatMap (name: leaves (path ++ [ name ]) priority value.${name}) (builtins.attrNames value)
    else [ { inherit path priority value; } ];

  # The definitions of what is at a path or below. A condition is only asked if something is there, so that one
  # option may depend on another of the same set.
  collect = path: priority: value:
    if isType "if" value then
      (let inner = collect path priority value.content; in if inner == [ ] || !value.condition then [ ] else inner)
    else if isType "merge" value then builtins.concatMap (collect path priority) value.contents
    else if isType "override" value then collect path value.priority value.content
    else if path == [ ] then leaves [ ] priority value
    else if builtins.isAttrs value && value ? ${builtins.head path} then
      collect (builtins.tail path) priority value.${builtins.head path}
    else [ ];

  dotted = builtins.concatStringsSep ".";
  startsWith = prefix: path:
    builtins.length prefix <= builtins.length path
    && builtins.genList (builtins.elemAt path) (builtins.length prefix) == prefix;
  setAt = path: value:
    if path == [ ] then value else { ${builtins.head path} = setAt (builtins.tail path) value; };
  merge = a: b:
    if builtins.isAttrs a && builtins.isAttrs b && !(a ? outPath) && !(b ? outPath) then
      a // b // builtins.mapAttrs (name: value: merge value b.${name}) (builtins.intersectAttrs b a)
    else b;
  mergeAll = builtins.foldl' merge { };

  # The value of one place: its definitions of most weight have to agree; lists are joined.
  settle = path: definitions:
    let
      weight = builtins.foldl' (least: d: if d.priority < least then d.priority else least) 10000 definitions;
      values = map (d: d.value) (builtins.filter (d: d.priority == weight) definitions);
      first = builtins.head values;
    in
    if builtins.all builtins.isList values then builtins.concatLists values
    else if builtins.all (value: value == first) values then first
    else throw "`${dotted path}` is defined differently in two places";

  group = definitions: builtins.attrValues (builtins.groupBy (d: builtins.toJSON d.path) definitions);
  combine = definitions:
    mergeAll (map (same: let path = (builtins.head same).path; in setAt path (settle path same)) (group definitions));

  # Declared options, as { path, option }.
  declared = path: tree:
    if isType "option" tree then [ { inherit path; option = tree; } ]
    else builtins.concatMap (name: declared (path ++ [ name ]) tree.${name}) (builtins.attrNames tree);

  # The configuration that modules and a configuration of the user make.
  evaluate = { modules, configuration, pkgs }:
    let
      load = module: (if builtins.isFunction module then module else import module) { inherit lib pkgs; config = inside; };
      loaded = map load modules;
      options = builtins.concatMap (module: declared [ ] module.options) loaded;
      written = map (module: module.config) loaded ++ [ configuration ];
      definitions = builtins.concatMap (leaves [ ] 100) written;
      value = { path, option }:
        let
          own = builtins.concatMap (collect path 100) written;
          whole = builtins.filter (d: d.path == [ ] && d.value != { }) own;
          parts = builtins.filter (d: d.path != [ ]) own;
          given = if whole != [ ] then settle path whole else combine parts;
          result =
            if whole == [ ] && parts == [ ] then option.default or (throw "`${dotted path}` is not set") else given;
        in
        if parts != [ ] && !option.type.deep then throw "`${dotted path}` is a ${option.type.name}, and no set"
        else if option.type.check result then result
        else throw "`${dotted path}` is no ${option.type.name}: ${builtins.toJSON result}";
      # Sets that only hold options of ours take nothing else.
      roots = map (o: builtins.genList (builtins.elemAt o.path) 2) options;
      isOurs = path: builtins.any (root: startsWith root path) roots;
      isDeclared = path: builtins.any (o: startsWith o.path path) options;
      stray = builtins.filter (d: isOurs d.path && d.value != { } && !isDeclared d.path) definitions;
      outside = combine (builtins.filter (d: !isOurs d.path) definitions);
      inside = mergeAll (map (o: setAt o.path (value o)) options);
    in
    if stray == [ ] then merge outside inside
    else throw "the option `${dotted (builtins.head stray).path}` does not exist";

  # `pkgs.formats.toml`: the text is beside the path, because nothing is built here.
  formats.toml = { }: {
    type = lib.types.attrsOf lib.types.anything;
    generate = name: value: { inherit name; outPath = "/nix/store/${name}"; text = toTOML [ ] value; };
  };

  toTOML = path: set:
    let
      names = builtins.attrNames set;
      isTable = name: builtins.isAttrs set.${name};
      key = name: builtins.toJSON name;
      value = v:
        if builtins.isList v then "[${builtins.concatStringsSep ", " (map value v)}]"
        else builtins.toJSON v;
      line = name: "${key name} = ${value set.${name}}\n";
      table = name:
        let below = path ++ [ (key name) ]; in "[${dotted below}]\n${toTOML below set.${name}}";
    in
    builtins.concatStringsSep "" (map line (builtins.filter (name: !isTable name) names))
    + builtins.concatStringsSep "" (map table (builtins.filter isTable names));
}
