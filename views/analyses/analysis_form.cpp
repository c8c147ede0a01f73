#include "views/analyses/analysis_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>

#include "views/figure/text.h"
#include "views/shared/figure_source.h"
#include "views/shared/flow_layout.h"

namespace vitrine::views {

namespace {

QString text_of(const Json& json) {
    if (json.is_null()) return {};
    if (json.is_string()) return QString::fromStdString(json.get<std::string>());
    if (json.is_array()) {
        QStringList parts;
        for (const Json& part : json)
            parts << text_of(part);
        return parts.join(QLatin1Char(','));
    }
    return QString::fromStdString(dump_json(json));
}

} // namespace

AnalysisForm::AnalysisForm(QWidget* parent) : QWidget(parent) { setLayout(new FlowLayout); }

void AnalysisForm::show_manifest(const Json& manifest) {
    fields_.clear();
    delete layout();
    for (QWidget* child : findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly))
        delete child;
    auto* flow = new FlowLayout;
    setLayout(flow);
    const auto parameters = manifest.find("parameters");
    if (parameters == manifest.end()) return;
    for (const Json& parameter : *parameters) {
        const std::string name = parameter.at("name").get<std::string>();
        const std::string type = parameter.value("type", std::string("text"));
        const Json standard = parameter.contains("default") ? parameter["default"] : Json();
        QString tip = text_of(parameter.contains("doc") ? parameter["doc"] : Json());
        if (parameter.contains("min") && !parameter["min"].is_null())
            tip += tr("\nAt least %1").arg(text_of(parameter["min"]));
        if (parameter.contains("max") && !parameter["max"].is_null())
            tip += tr("\nAt most %1").arg(text_of(parameter["max"]));
        QWidget* widget = nullptr;
        Field field{name, nullptr, {}, {}};
        if (type == "boolean") {
            auto* box = new QCheckBox(this);
            const bool on = standard.is_boolean() && standard.get<bool>();
            box->setChecked(on);
            field.value = [box, on] { return box->isChecked() == on ? Json() : Json(box->isChecked()); };
            field.set = [box, on](const Json& given) {
                box->setChecked(given.is_boolean() ? given.get<bool>() : on);
            };
            widget = box;
        } else if (type == "choice" && parameter.contains("choices")) {
            auto* box = new QComboBox(this);
            for (const Json& choice : parameter["choices"])
                box->addItem(text_of(choice));
            box->setCurrentText(text_of(standard));
            field.value = [box, standard] {
                return box->currentText() == text_of(standard) ? Json()
                                                               : Json(box->currentText().toStdString());
            };
            field.set = [box, standard](const Json& given) {
                box->setCurrentText(text_of(given.is_null() ? standard : given));
            };
            widget = box;
        } else {
            auto* edit = new QLineEdit(this);
            edit->setPlaceholderText(standard.is_null() ? tr("none") : text_of(standard));
            connect(edit, &QLineEdit::returnPressed, this, &AnalysisForm::submitted);
            field.value = [edit] {
                return edit->text().isEmpty() ? Json() : Json(edit->text().toStdString());
            };
            field.set = [edit, standard](const Json& given) {
                edit->setText(given == standard ? QString() : text_of(given));
            };
            // Wide enough for what is usually written there.
            const bool number = type == "integer" || type == "number";
            edit->setFixedWidth(number ? 70 : 110);
            widget = edit;
        }
        widget->setToolTip(tip);
        widget->setAccessibleName(QString::fromStdString(name));
        auto* label =
            new QLabel(QString::fromStdString(name).replace(QLatin1Char('_'), QLatin1Char(' ')), this);
        label->setToolTip(tip);
        label->setBuddy(widget);
        auto* pair = new QWidget(this);
        auto* row = new QHBoxLayout(pair);
        row->setContentsMargins(0, 0, 0, 0);
        row->setSpacing(6);
        row->addWidget(label);
        row->addWidget(widget);
        flow->addWidget(pair);
        field.place = pair;
        fields_.push_back(std::move(field));
    }
    show_only(QStringList(only_));
}

void AnalysisForm::show_only(const QStringList& names) {
    only_ = names;
    for (const Field& field : fields_)
        field.place->setVisible(only_.isEmpty() || only_.contains(QString::fromStdString(field.name)));
}

Json AnalysisForm::values() const {
    Json out = Json::object();
    for (const Field& field : fields_)
        if (Json value = field.value(); !value.is_null()) out[field.name] = std::move(value);
    return out;
}

void AnalysisForm::set_values(const Json& values) {
    for (const Field& field : fields_) {
        const auto found = values.is_object() ? values.find(field.name) : values.end();
        field.set(values.is_object() && found != values.end() ? *found : Json());
    }
}

QString AnalysisForm::command_options() const {
    QString out;
    const Json given = values();
    for (const auto& [name, value] : given.items())
        out += QStringLiteral(" --set ") +
               shell_word(QString::fromStdString(name) + QLatin1Char('=') + text_of(value));
    return out;
}

} // namespace vitrine::views
