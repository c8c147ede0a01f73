#pragma once
// Numbers and tokens as people read them.
#include <QFont>
#include <QString>
#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine::figure {

/// Three significant digits, thousands separated, a real minus; "–" for NaN. 12,300 · 0.914 · −3.4e−6
QString number(double value);
/// With so many decimals, thousands separated, a real minus: for columns of a table.
QString decimal(double value, int decimals);
/// As short as it is exact to four digits: 0.8, 1, 250, for ticks of axes.
QString tick(double value);
/// A share in [0, 1] as percent with three significant digits.
QString percent(double share);
/// A count with its thousands separated.
QString count(std::int64_t value);

/// A token as pictures show it.
struct Token {
    std::int32_t id = 0;
    std::string bytes; ///< what it stands for in the text
    bool special = false;
    QString shown; ///< shown_token(bytes), or the name of a special token
};

/// Leading and trailing spaces as `·`, newline `⏎`, tab `⇥`, other controls and broken bytes `⟨0A⟩`,
/// characters that would not be seen or have no glyph in any installed font `⟨U+00AD⟩`.
QString shown_token(std::string_view bytes);
/// The bytes in hexadecimal, two digits each.
QString hex_bytes(std::string_view bytes);

/// Shortened in the middle to `width` pixels; the end of a token tells as much as its beginning.
QString elided(const QString& text, const QFont& font, double width);

/// Whether every character has a glyph in some installed font.
bool drawable(const QString& text);

} // namespace vitrine::figure
