#pragma once
// What results are called, what unit they have, and what they mean, in words for people.
#include <QString>
#include <string>

namespace vitrine::figure {

struct Quantity {
    QString title;   ///< "KL to the final prediction"
    QString unit;    ///< "nats"; empty for shares and plain numbers
    QString meaning; ///< one sentence for a tooltip; may be empty
};

/// The words for a result by the name that analyses give it; an unknown name is its own title.
Quantity quantity_of(const std::string& name);
/// "KL to the final prediction, nats"
QString title_of(const Quantity& quantity);

} // namespace vitrine::figure
