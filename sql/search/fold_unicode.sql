create function search.fold_unicode(p_text text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
  -- Emoji, symbols and Chinese are as they are, but for their joiners: most titles beyond ASCII have no others.
  c_other constant text := '[^\u0001-\u007F\u2500-\u27BF\u4E00-\u9FFF\uFE0F\u200D\U0001F300-\U0001F64F'
    '\U0001F680-\U0001F6FF\U0001F900-\U0001FAFF]';
  -- Punctuation, arrows, boxes, private signs: words stand between them. Emoji stay, they are searched for.
  c_between constant text := '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00A9\u00AB-\u00B4\u00B6-\u00B9'
    '\u00BB-\u00BF\u00D7\u00F7\u060C\u061B\u061F\u066A-\u066D\u06D4\u2000-\u22FF\u2400-\u25FF\u27C0-\u2AFF'
    '\u2E00-\u2E7F\u3000-\u3004\u3008-\u3020\u3030\u303D\u30A0\u30FB\uE000-\uF8FF\uFD3E-\uFD3F]+';
  v_text text := p_text;
begin
  if p_text !~ c_other then
    v_text := lower(translate(p_text, U&'\FE0F\200D''', '') collate "C");
    -- Most titles have no more between their words than a space, and to replace each of those is dear.
    if v_text like '%  %' or replace(v_text, ' ', '') ~ c_between then
      v_text := regexp_replace(v_text, c_between, ' ', 'g');
    end if;
    return btrim(v_text);
  end if;
  -- A block of its own: what a function declares is made at each call.
  declare
    -- What Unicode decomposes, combines or reorders since its version 15: PostgreSQL and Python know different versions.
    c_newer constant text := '[\u0558\u058B-\u058C\u05C8-\u05C9\u0897\u1ACF-\u1AF0\u209D-\u209F\uA7F1\U000105C9'
      '\U000105D2\U000105DA\U000105E4\U000107BB-\U000107BF\U00010D69-\U00010D6D\U00010ECB-\U00010ECF'
      '\U00010EF0-\U00010EFB\U00010EFD-\U00010EFF\U00011382-\U00011385\U0001138B\U0001138E\U00011390-\U00011391'
      '\U000113B8\U000113BB\U000113C2\U000113C5\U000113C7-\U000113C9\U000113CE-\U000113D0\U00011F41-\U00011F42'
      '\U0001611E-\U00016129\U0001612F\U00016D63\U00016D67-\U00016D6A\U0001B123-\U0001B126\U0001CCD6-\U0001CCF9'
      '\U0001D127-\U0001D128\U0001D250-\U0001D252\U0001D25B-\U0001D25C\U0001D25F\U0001D280-\U0001D281\U0001D6A6'
      '\U0001DF95\U0001DFCD-\U0001DFFF\U0001E030-\U0001E06D\U0001E08F\U0001E4EC-\U0001E4EF\U0001E5EE-\U0001E5EF'
      '\U0001E6E3\U0001E6E6\U0001E6EE-\U0001E6EF\U0001E6F5]';
    -- Accents, harakat, points, joiners, direction and variation marks. Kana voicing and Indic vowels are letters: kept.
    c_marks constant text := '[\u0027\u02BC\u2018\u2019\u00AD\u0300-\u036F\u0483-\u0489\u0591-\u05BD\u05BF\u05C1-\u05C2\u05C4-\u05C5\u05C7'
      '\u0610-\u061A\u061C\u0640\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7-\u06E8\u06EA-\u06ED\u180B-\u180F'
      '\u1AB0-\u1ACE\u1DC0-\u1DFF\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\u20D0-\u20F0\uFE00-\uFE0F'
      '\uFE20-\uFE2F\uFEFF\U000E0001-\U000E007F\U000E0100-\U000E01EF]';
    -- Letters that decompose to none of the plain alphabet, and capitals whose case no locale may decide.
    c_mapped constant text := '[\u00C6\u00D0\u00D8\u00DE\u00DF\u00E6\u00F0\u00F8\u00FE\u0110\u0111\u0126\u0127\u0131'
      '\u0141\u0142\u0152\u0153\u0166\u0167\u0237\u0391-\u03A9\u03C2\u0402-\u042F\u0490\u0629\u0649\u06A9\u06CC\u1D00-\u1D22\u0262\u026A\u0274'
      '\u0280\u028F\u0299\u029C\u029F\u1E9E\uA730-\uA731\uA7AF\U0001F150-\U0001F169\U0001F170-\U0001F189]';
  begin
    if v_text ~ c_newer then
      v_text := translate(
        v_text,
        U&'\+01CCD6\+01CCD7\+01CCD8\+01CCD9\+01CCDA\+01CCDB\+01CCDC\+01CCDD\+01CCDE\+01CCDF\+01CCE0\+01CCE1\+01CCE2'
        '\+01CCE3\+01CCE4\+01CCE5\+01CCE6\+01CCE7\+01CCE8\+01CCE9\+01CCEA\+01CCEB\+01CCEC\+01CCED\+01CCEE\+01CCEF'
        '\+01CCF0\+01CCF1\+01CCF2\+01CCF3\+01CCF4\+01CCF5\+01CCF6\+01CCF7\+01CCF8\+01CCF9',
        'abcdefghijklmnopqrstuvwxyz0123456789'
      );
      v_text := regexp_replace(v_text, c_newer, '', 'g');
    end if;
    v_text := regexp_replace(normalize(v_text, nfkd), c_marks, '', 'g');
    if v_text ~ c_mapped then
      v_text := replace(replace(replace(v_text, 'Æ', 'ae'), 'æ', 'ae'), 'Œ', 'oe');
      v_text := replace(replace(replace(v_text, 'œ', 'oe'), 'ß', 'ss'), 'ẞ', 'ss');
      v_text := replace(replace(v_text, 'Þ', 'th'), 'þ', 'th');
      v_text := translate(
        v_text,
        'ÐðØøĐđĦħıŁłŦŧȷΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩςЂЄЅІЈЉЊЋЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯҐةىکی'
        'ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ'
        '🅐🅑🅒🅓🅔🅕🅖🅗🅘🅙🅚🅛🅜🅝🅞🅟🅠🅡🅢🅣🅤🅥🅦🅧🅨🅩🅰🅱🅲🅳🅴🅵🅶🅷🅸🅹🅺🅻🅼🅽🅾🅿🆀🆁🆂🆃🆄🆅🆆🆇🆈🆉',
        'ddooddhhillttjαβγδεζηθικλμνξοπρστυφχψωσђєѕіјљњћџабвгдежзийклмнопрстуфхцчшщъыьэюяґهيكي'
        'abcdefghijklmnopqrstuvwyz'
        'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz'
      );
    end if;
    -- Composed again, for Hangul and kana; a capital that a compatibility character hid is lowered only now.
    return btrim(regexp_replace(lower(normalize(v_text, nfkc) collate "C"), c_between, ' ', 'g'));
  end;
end
$$;

comment on function search.fold_unicode(text) is
'Text as it is searched, for text beyond ASCII; call search.fold. Compatibility forms, decorated and
small capital letters become plain, accents, apostrophes and invisible characters go, what else is no letter,
digit or emoji becomes one space, Latin, Greek and Cyrillic capitals become small';
