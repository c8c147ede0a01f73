#pragma once
#include <QString>

namespace vitrine::views {

/// Tokens first … last are a message of this role.
struct TokenRole {
    QString name;
    int first = 0;
    int last = 0;
};

} // namespace vitrine::views
