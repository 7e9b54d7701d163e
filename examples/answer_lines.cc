// Classifies each line of standard input with a compressed model, in C++: ./answer_lines compressed.snc < lines
#include <cstdio>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "snc.h"

// The library's handles, which free themselves; a failure is thrown with its line.
struct Model {
    explicit Model(const char *path)
    {
        snc_classifier *c = nullptr;
        if (snc_classifier_open(&c, path)) throw std::runtime_error(snc_err_text());
        classifier.reset(c);
        snc_session *s = nullptr;
        if (snc_session_new(&s, c, 1)) throw std::runtime_error(snc_err_text());
        session.reset(s);
    }
    snc_result classify(const std::string &text)
    {
        snc_result r{};
        const snc_text t{text.c_str(), nullptr};
        if (snc_classify(&r, session.get(), &t, 1)) throw std::runtime_error(snc_err_text());
        return r;
    }

private:
    struct Close {
        void operator()(snc_classifier *c) const { snc_classifier_close(c); }
        void operator()(snc_session *s) const { snc_session_free(s); }
    };
    std::unique_ptr<snc_classifier, Close> classifier;
    std::unique_ptr<snc_session, Close> session;
};

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::cerr << "usage: " << argv[0] << " compressed.snc < lines\n";
        return 2;
    }
    try {
        Model model(argv[1]);
        for (std::string line; std::getline(std::cin, line);) {
            const snc_result r = model.classify(line);
            std::printf("%s\t%.3f\n", r.label ? r.label : "value", double(r.score));
        }
    } catch (const std::exception &e) {
        std::cerr << e.what() << '\n';
        return 2;
    }
    return 0;
}
